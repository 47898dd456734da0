import { create } from "@bufbuild/protobuf";
import {
  GetModelResponseSchema,
  type Model,
  ModelSchema,
  ModelState,
  type ModelSummary,
  ModelSummarySchema,
} from "../../gen/assay/v1/model_service_pb.ts";
import { isServed, type ModelTable, type ModelVersion } from "./model-table.ts";
import type { ModelsService } from "./models.ts";

/** The state of loading, and whether the server is shutting down; the registry keeps it. */
export interface Lifecycle {
  readonly settled: boolean;
  readonly draining: boolean;
}

/** Makes the models service over a table. With `strictReadiness` any failed model makes the server not ready. */
export function createModelsService(
  table: ModelTable,
  lifecycle: Lifecycle,
  strictReadiness: boolean,
): ModelsService {
  return {
    list: () => table.entries().map(summarize),
    get(modelName, modelVersion, caller) {
      const model = table.find(modelName, modelVersion, caller);
      const versions = table.entries().filter((one) => one.modelName === model.modelName);
      return create(GetModelResponseSchema, { model: describe(model), versions: versions.map(summarize) });
    },
    tritonConfig(modelName, modelVersion, caller) {
      const model = table.find(modelName, modelVersion, caller);
      return isServed(model) ? model.triton?.config.message : undefined;
    },
    counts: (modelName, modelVersion, caller) =>
      modelName === "" ? table.entries().filter(isServed) : [table.resolve(modelName, modelVersion, caller)],
    classLabels(modelName, modelVersion, output, caller) {
      const { triton, signature } = table.resolve(modelName, modelVersion, caller);
      const written = triton?.labels.get(output);
      if (written !== undefined) return written;
      return signature.outputs.find(({ name }) => name === output)?.labels ?? [];
    },
    readiness() {
      const models = table.entries().map(summarize);
      const serving = models.some((model) => model.state === ModelState.READY);
      const failed = models.some((model) => model.state === ModelState.FAILED);
      const { settled, draining } = lifecycle;
      const ready = settled && !draining && serving && !(strictReadiness && failed);
      return { ready, settled, draining, models };
    },
  };
}

function describe(model: ModelVersion): Model {
  if (isServed(model)) return model.describe();
  const { modelName, modelVersion, state, reason } = model;
  return create(ModelSchema, { modelName, modelVersion, state, stateReason: reason });
}

function summarize(model: ModelVersion): ModelSummary {
  const { modelName, modelVersion } = model;
  if (!isServed(model)) {
    const { state, reason } = model;
    return create(ModelSummarySchema, { modelName, modelVersion, state, stateReason: reason });
  }
  const state = model.state();
  const stateReason = state === ModelState.READY ? "" : "every instance ended and is being restarted";
  const changedFiles = [...model.changedFiles()];
  return create(ModelSummarySchema, { modelName, modelVersion, state, stateReason, changedFiles });
}
