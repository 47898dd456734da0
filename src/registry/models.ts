/** Says what is served: the edge's ModelService, health and readiness read it. */
import type { GetModelResponse, ModelSummary } from "../../gen/assay/v1/model_service_pb.ts";

/** Whether the server takes requests, and what is wrong with the models that do not serve. */
export interface Readiness {
  readonly ready: boolean;
  /** False while models are still being loaded. */
  readonly settled: boolean;
  readonly draining: boolean;
  readonly models: readonly ModelSummary[];
}

/** The models as callers see them; made by `createModelsService`. */
export interface ModelsService {
  list(): ModelSummary[];
  /** Throws MODEL_NOT_FOUND or MODEL_VERSION_NOT_FOUND, naming what there is. */
  get(modelName: string, modelVersion: string): GetModelResponse;
  readiness(): Readiness;
}
