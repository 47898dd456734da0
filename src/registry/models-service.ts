import { create } from "@bufbuild/protobuf";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import {
  type GetModelResponse,
  GetModelResponseSchema,
  type Model,
  ModelSchema,
  ModelState,
} from "../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../errors.ts";
import { listed, shownName } from "../wording/field-paths.ts";
import { didYouMean } from "../wording/nearest-name.ts";
import { isServed, type ModelTable, summarize, type UnservedModel } from "./model-table.ts";
import type { ModelsService } from "./models.ts";
import type { ServedModel } from "./served-model.ts";

/** Whether loading has ended and whether the server is shutting down; the app keeps it. */
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
    get: (modelName, modelVersion) => getModel(table, modelName, modelVersion),
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

function getModel(table: ModelTable, modelName: string, modelVersion: string): GetModelResponse {
  const versions = table.entries().filter((model) => model.modelName === modelName);
  const known = [...new Set(table.entries().map((model) => model.modelName))];
  if (versions.length === 0) {
    const hint = didYouMean(modelName, known) || `; it has ${listed(known)}`;
    throw new AssayError(Reason.MODEL_NOT_FOUND, `the server has no model ${shownName(modelName)}${hint}`);
  }
  const ready = versions.filter((model) => summarize(model).state === ModelState.READY);
  const model =
    modelVersion === ""
      ? (ready.at(-1) ?? versions.at(-1))
      : versions.find((version) => version.modelVersion === modelVersion);
  if (model === undefined) {
    const numbers = listed(versions.map((version) => version.modelVersion));
    throw new AssayError(
      Reason.MODEL_VERSION_NOT_FOUND,
      `model ${shownName(modelName)} has no version ${shownName(modelVersion)}; it has ${numbers}`,
    );
  }
  return create(GetModelResponseSchema, { model: describe(model), versions: versions.map(summarize) });
}

function describe(model: ServedModel | UnservedModel): Model {
  if (isServed(model)) return model.describe();
  const { modelName, modelVersion, state, reason } = model;
  return create(ModelSchema, { modelName, modelVersion, state, stateReason: reason });
}
