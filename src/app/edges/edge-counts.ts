import { ModelCounters } from "../../registry/model-counters.ts";
import { isServed, type ModelTable } from "../../registry/model-table.ts";
import type { VersionCounts } from "../../registry/models.ts";
import type { VersionName } from "../../registry/registry.ts";
import type { CountsOfEdge } from "./edge-messages.ts";

/** What this thread's edge has counted of versions, in the order of their names. */
export function countsOf(table: ModelTable, names: readonly VersionName[]): CountsOfEdge {
  const counts = names.map(({ modelName, modelVersion }) => {
    const model = table
      .entries()
      .find((one) => one.modelName === modelName && one.modelVersion === modelVersion);
    return model !== undefined && isServed(model) ? model.counters : undefined;
  });
  return { timeOrigin: performance.timeOrigin, counts };
}

/** What an edge has counted with what others have, whose counts are in the same order. */
export function sumCounts(own: readonly VersionCounts[], others: readonly CountsOfEdge[]): VersionCounts[] {
  return own.map(({ modelName, modelVersion, counters }, at) => {
    const sum = new ModelCounters();
    sum.add(counters, performance.timeOrigin);
    for (const { timeOrigin, counts } of others) {
      const one = counts[at];
      if (one !== undefined) sum.add(one, timeOrigin);
    }
    return { modelName, modelVersion, counters: sum };
  });
}
