/** What feature sources have done, as metrics; there is no family of them where no model has a source. */
import type { FeatureCounts } from "../../features/feature-counts.ts";
import type { Histogram } from "../../telemetry/histogram.ts";
import type { Labels, MetricFamily } from "../../telemetry/metric-text.ts";
import type { VersionCounts } from "../models.ts";

interface CountedSource {
  readonly labels: Labels;
  readonly counts: FeatureCounts;
}

/** One sample a source of each version, whose names the models' configurations bound. */
export function featureFamilies(models: readonly VersionCounts[]): MetricFamily[] {
  const sources = models.flatMap(({ modelName, modelVersion, counters }) =>
    Array.from(
      counters.features,
      ([source, counts]): CountedSource => ({
        labels: { model: modelName, version: modelVersion, source },
        counts,
      }),
    ),
  );
  if (sources.length === 0) return [];
  const numbers = (
    name: string,
    type: "counter" | "gauge",
    help: string,
    samples: (counts: FeatureCounts) => readonly (readonly [Labels, number])[],
  ): MetricFamily => ({
    name: `assay_feature_${name}`,
    type,
    help,
    samples: sources.flatMap(({ labels, counts }) =>
      samples(counts).map(([more, value]): [Labels, number] => [{ ...labels, ...more }, value]),
    ),
  });
  const histogram = (
    name: string,
    help: string,
    value: (counts: FeatureCounts) => Histogram,
  ): MetricFamily => ({
    name: `assay_feature_${name}`,
    type: "histogram",
    help,
    scale: 1e-3,
    samples: sources.map(({ labels, counts }) => [labels, value(counts)]),
  });
  return [
    numbers("rows_total", "counter", "Rows that were looked up, by what came of it.", ({ rows }) =>
      Object.entries(rows).map(([result, count]) => [{ result }, count]),
    ),
    histogram("age_seconds", "How old the values were that rows were completed with.", ({ ages }) => ages),
    histogram("trip_duration_seconds", "Round trips to the store that were answered.", ({ trips }) => trips),
    numbers("failed_trips_total", "counter", "Round trips to the store that failed.", ({ failedTrips }) => [
      [{}, failedTrips],
    ]),
    numbers("timeouts_total", "counter", "Requests that stopped waiting for the store.", ({ timeouts }) => [
      [{}, timeouts],
    ]),
    numbers("cached_rows", "gauge", "Keys that are kept.", ({ cachedRows }) => [[{}, cachedRows]]),
    numbers("cached_bytes", "gauge", "About what they take.", ({ cachedBytes }) => [[{}, cachedBytes]]),
  ];
}
