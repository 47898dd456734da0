import type { Reason } from "../../gen/assay/v1/error_pb.ts";
import { NOT_YET, type RunCounts } from "../batcher/batcher.ts";
import { FeatureCounts } from "../features/feature-counts.ts";
import { Histogram, ROW_BOUNDS } from "../telemetry/histogram.ts";
import type { BatchEnd } from "../telemetry/traces/entry-trace.ts";

/** Runs of so many rows together. */
export interface BatchCount {
  count: number;
  ms: number;
}

/** Stage times of one request, on `performance.now()`'s clock; NOT_YET where it did not come so far. */
export interface RequestTimes {
  readonly receivedAt: number;
  readonly enqueuedAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

const SUMS = [
  "successCount",
  "successMs",
  "failCount",
  "failMs",
  "inputMs",
  "queueMs",
  "inferMs",
  "outputMs",
  "inferenceCount",
  "executionCount",
] as const;

/** Counters as they reach another edge: their numbers alone. */
export type EdgeCounts = Pick<ModelCounters, (typeof SUMS)[number] | "batches" | "lastInferenceAt">;

/**
 * What a version of a model has done since it was first loaded, by Triton's rules: requests that were taken for it count once, as
 * answered or failed, whatever protocol brought them; stages count for those that were answered. Files that are loaded anew under its
 * number go on with its counts. Sums are in milliseconds. Each call costs some additions here and nothing else.
 */
export class ModelCounters implements RunCounts {
  successCount = 0;
  /** From when a request came to its answer. */
  successMs = 0;
  failCount = 0;
  failMs = 0;
  /** Requests that failed, or were refused a place in the queue, by reason. */
  readonly failures = new Map<Reason, number>();
  /** Requests whose callers took them back. */
  cancelCount = 0;
  /** Read, checked and put in the queue. */
  inputMs = 0;
  queueMs = 0;
  /** Run, with the copying to the instance and back. */
  inferMs = 0;
  /** Made an answer of. */
  outputMs = 0;
  /** Rows of the requests that were answered. */
  inferenceCount = 0;
  /** Runs, of the rows of one request or of several. */
  executionCount = 0;
  /** By their rows. */
  readonly batches = new Map<number, BatchCount>();
  /** By why no more rows were waited for. */
  readonly batchEnds: Record<BatchEnd, number> = { full: 0, delay: 0, idle: 0 };
  /** Of the requests that were answered, in milliseconds: from when they came to their answer; in the queue. */
  readonly durations = new Histogram();
  readonly queueTimes = new Histogram();
  /** Of runs, in milliseconds, and of their rows. */
  readonly runTimes = new Histogram();
  readonly runRows = new Histogram(ROW_BOUNDS);
  /** Of feature sources, by name; empty for a model without any. */
  readonly features = new Map<string, FeatureCounts>();
  /** When the last request was answered; NOT_YET before. */
  lastInferenceAt = NOT_YET;

  /** The counts of a feature source. */
  featuresOf(source: string): FeatureCounts {
    let counts = this.features.get(source);
    if (counts === undefined) {
      counts = new FeatureCounts();
      this.features.set(source, counts);
    }
    return counts;
  }

  /** A request of `rowCount` rows was answered at `now`. */
  succeeded(rowCount: number, times: RequestTimes, now: number): void {
    const { receivedAt, enqueuedAt, startedAt, endedAt } = times;
    this.successCount++;
    this.inferenceCount += rowCount;
    this.successMs += now - receivedAt;
    this.inputMs += enqueuedAt - receivedAt;
    this.queueMs += startedAt - enqueuedAt;
    this.inferMs += endedAt - startedAt;
    this.outputMs += now - endedAt;
    this.lastInferenceAt = now;
    this.durations.observe(now - receivedAt);
    this.queueTimes.observe(startedAt - enqueuedAt);
  }

  /** A request failed, or was refused a place in the queue. */
  failed({ receivedAt }: RequestTimes, now: number, reason: Reason): void {
    this.failCount++;
    this.failMs += now - receivedAt;
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
  }

  /** The caller of a request took it back. */
  cancelled(): void {
    this.cancelCount++;
  }

  /** Adds what another edge has counted of the same version, whose clock began at `timeOrigin`, for statistics. */
  add(other: EdgeCounts, timeOrigin: number): void {
    for (const name of SUMS) this[name] += other[name];
    for (const [rowCount, { count, ms }] of other.batches) this.addBatch(rowCount, count, ms);
    const lastInferenceAt = other.lastInferenceAt + timeOrigin - performance.timeOrigin;
    if (!(lastInferenceAt < this.lastInferenceAt || Number.isNaN(lastInferenceAt)))
      this.lastInferenceAt = lastInferenceAt;
  }

  ran(rowCount: number, ms: number, end: BatchEnd): void {
    this.executionCount++;
    this.batchEnds[end]++;
    this.runTimes.observe(ms);
    this.runRows.observe(rowCount);
    this.addBatch(rowCount, 1, ms);
  }

  private addBatch(rowCount: number, count: number, ms: number): void {
    const batch = this.batches.get(rowCount);
    if (batch === undefined) this.batches.set(rowCount, { count, ms });
    else {
      batch.count += count;
      batch.ms += ms;
    }
  }
}
