import { type Exemplar, Histogram } from "./histogram.ts";
import type { Labels, MetricFamily } from "./metric-text.ts";

/** Gauges of what each edge holds a part of; of all others the first edge's value is the server's. */
const HELD_IN_PARTS: ReadonlySet<string> = new Set([
  "assay_calls_open",
  "assay_connections_open",
  "assay_http2_connections_open",
  "assay_queue_bytes",
  "assay_queue_rows",
  "assay_request_memory_bytes",
  "assay_request_memory_limit_bytes",
  "assay_running_rows",
  "nv_inference_pending_request_count",
]);

type Exemplars = (Exemplar | undefined)[];

/**
 * The families of several edges as those of one server: counters, histograms and what each holds a part of are added up by their
 * labels, all else is what the first edge says.
 */
export function mergedFamilies(
  first: readonly MetricFamily[],
  others: readonly (readonly MetricFamily[])[],
): MetricFamily[] {
  const merged = new Map<string, MetricFamily>();
  for (const family of first) merged.set(family.name, family);
  for (const family of others.flat()) {
    const { name, type } = family;
    if (type === "gauge" && !HELD_IN_PARTS.has(name)) continue;
    const before = merged.get(name);
    merged.set(name, before === undefined ? family : sum(before, family));
  }
  return [...merged.values()];
}

function sum(one: MetricFamily, other: MetricFamily): MetricFamily {
  if (one.type === "histogram" && other.type === "histogram")
    return { ...one, samples: added(one.samples, other.samples, sumOfHistograms) };
  if (one.type === "histogram" || other.type === "histogram") return one;
  return { ...one, samples: added(one.samples, other.samples, (a, b) => a + b) };
}

function added<T>(
  some: readonly (readonly [Labels, T])[],
  more: readonly (readonly [Labels, T])[],
  add: (one: T, other: T) => T,
): (readonly [Labels, T])[] {
  const samples = new Map(some.map((sample) => [JSON.stringify(sample[0]), sample]));
  for (const sample of more) {
    const key = JSON.stringify(sample[0]);
    const before = samples.get(key);
    samples.set(key, before === undefined ? sample : [sample[0], add(before[1], sample[1])]);
  }
  return [...samples.values()];
}

function sumOfHistograms(one: Histogram, other: Histogram): Histogram {
  const sum = new Histogram(one.bounds);
  for (let at = 0; at < sum.counts.length; at++) sum.counts[at] = one.counts[at]! + other.counts[at]!;
  sum.sum = one.sum + other.sum;
  sum.count = one.count + other.count;
  const { exemplars } = one;
  sum.exemplars = exemplars === undefined ? other.exemplars : latest(exemplars, other.exemplars ?? []);
  return sum;
}

function latest(some: Exemplars, more: Exemplars): Exemplars {
  return some.map((one, at) => ((more[at]?.timeMs ?? 0) > (one?.timeMs ?? 0) ? more[at] : one));
}
