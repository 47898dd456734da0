/**
 * What the batcher tells of the runs in which rows of recorded traces are, and whom. How traces are decided, made and sent is above its
 * stage; here stands no more than what both sides know.
 */
import type { AssayError } from "../../errors.ts";

/** Why a batch waited for no more rows: it was full; its oldest row had waited the queue delay; an instance was idle, and there is no delay. */
export type BatchEnd = "full" | "delay" | "idle";

/** The trace of an entry; entries have one only where it is recorded. */
export interface EntryTrace {
  /** A run with rows of its entry has ended, and its entries are yet to be told. Called of one trace of a run, for all of them. */
  onRun(run: TracedRun): void;
}

/** A run that has ended; times are on `performance.now()`'s clock. */
export interface TracedRun {
  /** Of those entries that have one: at least one. */
  readonly traces: readonly EntryTrace[];
  readonly modelName: string;
  /** Entries and rows that ran together. */
  readonly entryCount: number;
  readonly rowCount: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly end: BatchEnd;
  /** Why it failed; undefined where it gave outputs. */
  readonly error: AssayError | undefined;
}

/** Times of the stages that something passed, on `performance.now()`'s clock; NaN for those that it did not reach. */
export interface PassedStages {
  readonly receivedAt: number;
  readonly enqueuedAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
}
