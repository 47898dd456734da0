import { create } from "@bufbuild/protobuf";
import {
  GetModelResponseSchema,
  type Model,
  ModelSchema,
  ModelState,
  type ModelSummary,
  ModelSummarySchema,
} from "../../gen/assay/v1/model_service_pb.ts";
import { visibleTo } from "./caller.ts";
import { isServed, type ModelTable, type ModelVersion } from "./model-table.ts";
import type { ModelsService, VersionCounts } from "./models.ts";

/** The state of loading, and whether the server is shutting down; the registry keeps it. */
export interface Lifecycle {
  readonly settled: boolean;
  readonly draining: boolean;
  /** Models come at the word of callers: without any, it takes requests to load some. */
  readonly startsEmpty?: boolean;
}

/**
 * Makes the models service over a table. With `strictReadiness` any failed model makes the server not ready;
 * `sumCounts` adds what other edges have counted.
 */
export function createModelsService(
  table: ModelTable,
  lifecycle: Lifecycle,
  strictReadiness: boolean,
  sumCounts: (own: readonly VersionCounts[]) => Promise<readonly VersionCounts[]> = async (own) => own,
): ModelsService {
  const counts: ModelsService["counts"] = (modelName, modelVersion, caller) =>
    modelName === ""
      ? visibleTo(table.entries().filter(isServed), caller)
      : [table.resolve(modelName, modelVersion, caller)];
  return {
    list: (caller) => visibleTo(table.entries(), caller).map((model) => summarize(model, table)),
    get(modelName, modelVersion, caller) {
      const model = table.find(modelName, modelVersion, caller);
      const versions = table.entries().filter((one) => one.modelName === model.modelName);
      return create(GetModelResponseSchema, {
        model: { ...describe(model), ...toldOf(model, table) },
        versions: versions.map((one) => summarize(one, table)),
      });
    },
    tritonConfig(modelName, modelVersion, caller) {
      const model = table.find(modelName, modelVersion, caller);
      return isServed(model) ? model.triton?.config.message : undefined;
    },
    counts,
    totals: async (modelName, modelVersion, caller) =>
      await sumCounts(counts(modelName, modelVersion, caller)),
    readiness() {
      const entries = table.entries();
      const models = entries.map((model) => summarize(model, table));
      const { settled, draining, startsEmpty = false } = lifecycle;
      const serving = startsEmpty || models.some((model) => model.state === ModelState.READY);
      const failed = strictReadiness && entries.some(keepsUnready);
      const ready = settled && !draining && serving && !failed;
      return { ready, settled, draining, models };
    },
  };
}

function describe(model: ModelVersion): Model {
  if (isServed(model)) return model.describe();
  const { modelName, modelVersion, state, reason } = model;
  return create(ModelSchema, { modelName, modelVersion, state, stateReason: reason });
}

/** A new version that fails would make every server on one repository not ready at once, with all that they serve. */
function keepsUnready(model: ModelVersion): boolean {
  return !isServed(model) && model.state === ModelState.FAILED && model.isUpdate !== true;
}

/** What is said of a version by its model's owner, and by what became of its files. */
function toldOf(model: ModelVersion, table: ModelTable) {
  const { labels } = table.namesOf(model.modelName);
  return {
    versionLabels: [...labels]
      .filter(([, version]) => version === model.modelVersion)
      .map(([label]) => label),
    isDefault: table.isDefault(model),
    updateFailure: (isServed(model) ? model.updateFailure : undefined) ?? "",
  };
}

function summarize(model: ModelVersion, table: ModelTable): ModelSummary {
  const { modelName, modelVersion } = model;
  const told = toldOf(model, table);
  if (!isServed(model)) {
    const { state, reason } = model;
    return create(ModelSummarySchema, { modelName, modelVersion, state, stateReason: reason, ...told });
  }
  const state = model.state();
  const stateReason = state === ModelState.READY ? "" : "every instance ended and is being restarted";
  const changedFiles = [...model.changedFiles()];
  return create(ModelSummarySchema, { modelName, modelVersion, state, stateReason, changedFiles, ...told });
}
