/** Edges over one real scoring service, for tests of streams. */
import pino from "pino";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import type { EdgeLimits } from "../../../src/edge/call/limits.ts";
import { createEdge, type Edge, type EdgeOptions } from "../../../src/edge/edge.ts";
import { createModelTable } from "../../../src/registry/model-table.ts";
import type { ScoringService } from "../../../src/service/scoring.ts";
import { createScoringService } from "../../../src/service/scoring-service.ts";
import type { StreamLimits } from "../../../src/service/stream/item-stream.ts";
import { type Http2EngineName, http2EngineOptions } from "../../reference/http2-engines.ts";
import type { TestModel } from "../models/onnx-model.ts";
import { createServedModel } from "../models/served-model.ts";
import { createFakeModels, LIMITS } from "./fake-services.ts";
import type { Core } from "./scoring-core.ts";

/** An edge that listens; whoever started it closes it. */
export interface StreamEdge {
  readonly edge: Edge;
  readonly port: number;
  drain(): void;
}

/** Starts an edge that scores with `core`'s model. */
export async function startStreamEdge(
  core: Core,
  model: TestModel,
  options: Pick<Partial<EdgeOptions>, "grpcStreams" | "unaryCalls" | "log" | "accessLog"> & {
    http2Engine?: Http2EngineName;
    limits?: Partial<EdgeLimits & StreamLimits>;
    /** What stands between the edge and the service. */
    between?: (scoring: ScoringService) => ScoringService;
  } = {},
): Promise<StreamEdge> {
  const limits = { ...LIMITS, streamWindowRows: 4096, ...options.limits };
  const table = createModelTable(undefined);
  const { modelName, modelVersion, signature } = model;
  table.put(
    createServedModel({
      modelName,
      modelVersion,
      signature,
      batcher: core.batcher,
      state: () => ModelState.READY,
      changedFiles: () => [],
      describe: () => {
        throw new Error("nobody asks");
      },
    }),
  );
  const { between = (scoring) => scoring, http2Engine, ...edgeOptions } = options;
  const scoring = between(createScoringService(table, limits));
  const edge = createEdge({
    scoring,
    models: createFakeModels(),
    corsOrigins: ["*"],
    ...http2EngineOptions(http2Engine),
    log: pino({ level: "silent" }),
    ...edgeOptions,
    limits,
  });
  const { port } = await edge.listen("127.0.0.1", 0);
  return { edge, port, drain: () => scoring.drain() };
}
