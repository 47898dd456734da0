import { dirname } from "node:path";
import { ModelFeatures } from "../../features/model-features.ts";
import type { PreparedModel } from "../../model/prepared-model.ts";
import { mapRowColumns } from "../../model/row-columns.ts";
import type { Log } from "../../telemetry/log.ts";
import type { ModelCounters } from "../model-counters.ts";

/** What the sources of a version are opened with besides the model. */
export interface FeatureCircumstances {
  /** What URLs of stores are made of; undefined: sources are not opened, and rows have to bring all columns. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly log: Log;
}

/**
 * Makes the feature sources of a model; nothing is asked yet. Undefined where it has none. Whoever called closes them. Throws
 * CONFIG_INVALID.
 */
export function makeFeatures(
  { features: plans, signature, modelName, modelVersion, files }: PreparedModel,
  { environment, log }: FeatureCircumstances,
  counters: ModelCounters,
): ModelFeatures | undefined {
  if (plans === undefined || environment === undefined) return undefined;
  const rowColumns = mapRowColumns(signature);
  if (rowColumns.kind === "unmapped") return undefined;
  return new ModelFeatures({
    plans,
    mapping: rowColumns.mapping,
    modelName,
    modelVersion,
    folder: dirname(files[0]?.path ?? "."),
    environment,
    log,
    counts: (source) => counters.featuresOf(source),
  });
}
