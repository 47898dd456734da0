import { create } from "@bufbuild/protobuf";
import { ModelConfigSchema } from "../../../gen/assay/config/v1/model_config_pb.ts";
import { type Model, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import type { PredictRequest, PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { PreparedModel } from "../../../src/model/prepared-model.ts";
import { describeModel } from "../../../src/registry/model-description.ts";
import { createModelTable } from "../../../src/registry/model-table.ts";
import { createCall } from "../../../src/service/call.ts";
import { createScoringService } from "../../../src/service/scoring-service.ts";
import type { TestModel } from "../models/onnx-model.ts";
import { createServedModel } from "../models/served-model.ts";
import { startCore } from "./scoring-core.ts";

/** The scoring service over one model and its worker, and what it was sent; whoever starts it closes it. */
export interface InProcessScorer {
  readonly model: Model;
  /** Rows of each request, in order. */
  readonly requestRows: number[];
  score(request: PredictRequest): Promise<PredictResponse>;
  close(): Promise<void>;
}

/** Starts one worker for a model. */
export async function startScorer(model: TestModel): Promise<InProcessScorer> {
  const core = await startCore({ model });
  const circumstances = {
    state: ModelState.READY,
    stateReason: "",
    devices: ["cpu:0"],
    config: create(ModelConfigSchema),
    exampleRequest: undefined,
    changedFiles: [],
  };
  const described = describeModel(
    {
      repairs: [],
      notices: [],
      opsetImports: [],
      goldenCases: [],
      fileBytes: 0,
      ...model,
    } as unknown as PreparedModel,
    circumstances,
  );
  const { modelName, modelVersion, signature } = model;
  const table = createModelTable(undefined);
  table.put(
    createServedModel({
      modelName,
      modelVersion,
      signature,
      batcher: core.batcher,
      state: () => ModelState.READY,
      changedFiles: () => [],
      describe: () => described,
    }),
  );
  const service = createScoringService(table, {
    streamWindowRows: 10_000,
    streamWindowBytes: 4_194_304,
    callTimeoutMs: 60_000,
  });
  const requestRows: number[] = [];
  return {
    model: described,
    requestRows,
    score(request) {
      requestRows.push(Number(request.inputs[0]!.shape[0]));
      const deadlineAt = performance.now() + 60_000;
      return service.predict(request, createCall({ deadlineAt, lane: "bulk", protocol: "embedded" }));
    },
    close: () => core.close(),
  };
}
