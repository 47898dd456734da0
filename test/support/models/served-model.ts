import { mapRowColumns } from "../../../src/model/row-columns.ts";
import { ModelCounters } from "../../../src/registry/model-counters.ts";
import type { ServedModel } from "../../../src/registry/served-model.ts";

/** A served model of given parts; `describe` and `state` are asked at each call. */
export function createServedModel(
  parts: Omit<ServedModel, "rowColumns" | "counters" | "instances" | "modelName" | "modelVersion"> & {
    modelName: string;
    modelVersion: string;
  },
): ServedModel {
  return {
    ...parts,
    instances: () => [],
    counters: new ModelCounters(),
    rowColumns: mapRowColumns(parts.signature),
  };
}
