import { NOT_YET, type RunCounts } from "../batcher/batcher.ts";

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
  /** When the last request was answered; NOT_YET before. */
  lastInferenceAt = NOT_YET;

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
  }

  /** A request failed, or was refused a place in the queue. */
  failed({ receivedAt }: RequestTimes, now: number): void {
    this.failCount++;
    this.failMs += now - receivedAt;
  }

  ran(rowCount: number, ms: number): void {
    this.executionCount++;
    const batch = this.batches.get(rowCount);
    if (batch === undefined) this.batches.set(rowCount, { count: 1, ms });
    else {
      batch.count++;
      batch.ms += ms;
    }
  }
}
