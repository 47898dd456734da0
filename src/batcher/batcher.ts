/**
 * The batcher joins the rows of many calls into batches for one model version.
 * Comes in: entries, each some rows that are already checked. Goes out: a batch for the pool, and each entry's own
 * rows of its outputs.
 * Promises: an idle instance takes what came in this turn of the event loop as the turn ends; while all are busy rows
 * gather, up to `maxBatchSize`, interactive rows first; `maxQueueDelayMicroseconds` is waited only if asked for; rows are counted, not requests; an entry larger than
 * the maximum is split and joined again; entries whose `shapeKey` differ never share a batch; a row whose deadline has
 * passed or whose caller has gone is dropped before it runs; a caller is answered at its deadline even while its batch
 * runs; the queue is bounded in rows and bytes and says QUEUE_FULL with a delay at once, or lets in what waits for room as it
 * comes; rows are copied once, at dispatch.
 */
import type { AssayError } from "../errors.ts";
import type { Pool } from "../pool/pool.ts";
import type { Log } from "../telemetry/log.ts";
import type { BatchEnd, EntryTrace } from "../telemetry/traces/entry-trace.ts";
import type { Datatype, NumericArray } from "../tensor/datatype.ts";
import type { TensorData } from "../tensor/tensor-data.ts";

/** How rows may share a run: a signature's `batching`. */
export type Batching = "across-requests" | "within-request" | "single-rows" | "no-batch-dimension";

/** Interactive rows go before bulk rows. */
export type Lane = "interactive" | "bulk";

/** One input of an entry: `tailShape` is its shape without axis 0 (the whole shape where the model has no batch dimension). */
export interface EntryInput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly tailShape: readonly number[];
}

/** Where an entry's rows are copied to at dispatch; made by the batcher, used only during `Entry.write`. */
export interface RowWriter {
  /** The place for this entry's rows of numeric input `inputIndex`: exactly rowCount × tail elements, to be filled whole. */
  numeric(inputIndex: number): NumericArray;
  /** Takes this entry's elements of BYTES input `inputIndex`, exactly rowCount × tail elements, in order. */
  strings(inputIndex: number, values: Iterable<string>): void;
}

/**
 * A time that has not come. Not 0: V8 moves each object whose field begins as a whole number to another map when a time comes,
 * and keeps 2 kB of each item of a stream until a full collection.
 */
export const NOT_YET = Number.NaN;

/**
 * When an entry passed from stage to stage, on `performance.now()`'s clock; NOT_YET until it did. They lie in an object that the
 * caller has anyway (a call, an item of a stream), and are set by the batcher.
 */
export interface StageTimes {
  /** It was taken: to the queue, or to the line of those that wait for room in it. */
  enqueuedAt: number;
  /** The first of its rows went to an instance. */
  startedAt: number;
  /** It was answered or failed; stays NOT_YET where it was taken back. */
  endedAt: number;
  /** Of a call whose trace is recorded; undefined of all others. */
  readonly trace?: EntryTrace | undefined;
}

/**
 * Some rows of one call. The caller makes it and keeps what `write` reads unchanged until `onOutputs` or `onError`,
 * exactly one of which is called, once. Neither is called after `cancel`.
 */
export interface Entry {
  /** Rows along axis 0; 0 is allowed. 1 where the model has no batch dimension. */
  readonly rowCount: number;
  /** What the rows take in the queue, for its limit in bytes. */
  readonly byteCount: number;
  readonly inputs: readonly EntryInput[];
  /** Entries share a batch only if their keys are equal: input names and tail shapes. */
  readonly shapeKey: string;
  readonly lane: Lane;
  /** On `performance.now()`'s clock, in milliseconds; Infinity for none. */
  readonly deadlineAt: number;
  /**
   * Where the queue is full it waits for room outside, behind those that came before it in its lane, instead of being refused.
   * Its caller bounds how many such entries it has. Default false.
   */
  readonly waitsForRoom?: boolean;
  /** The outputs wanted by name; empty: all. */
  readonly outputNames: readonly string[];
  readonly times: StageTimes;
  /** Copies rows `fromRow` to `fromRow + rowCount` to the writer. Must not throw. */
  write(writer: RowWriter, fromRow: number, rowCount: number): void;
  /** Takes this entry's rows of the outputs. Numeric data is a view that is valid until the callback returns. */
  onOutputs(outputs: readonly TensorData[]): void;
  onError(error: AssayError): void;
}

/** An entry that a batcher has taken and not yet answered. */
export interface TakenEntry {
  readonly entry: Entry;
}

/** What a batcher holds. */
export interface BatcherDepth {
  /** Rows that wait in the queue, and their bytes. */
  readonly rows: number;
  readonly bytes: number;
  /** Rows that run. */
  readonly running: number;
  /** Entries that wait or run. */
  readonly entries: number;
}

/** Joins rows for one model version; made by `createBatcher`. */
export interface Batcher {
  /**
   * Takes an entry and returns what `cancel` takes. Where it cannot be taken, `onError` is called before this returns undefined:
   * with QUEUE_FULL where there is no room and it does not wait for some.
   */
  enqueue(entry: Entry): TakenEntry | undefined;
  /** Takes an entry back: it is not run if it has not started, and neither callback comes. False where one came before. */
  cancel(taken: TakenEntry): boolean;
  /** An entry of more rows is refused, however empty the queue is. */
  readonly maxQueueRows: number;
  readonly depth: BatcherDepth;
  /** Takes no more entries (SHUTTING_DOWN); resolves when all that it has are answered. `close` cuts it short. */
  drain(): Promise<void>;
  /** Takes no more entries, ends those that wait with SHUTTING_DOWN after those that run; closes its timers, not the pool. */
  close(): Promise<void>;
}

/** Whom a batcher tells of each run that gave outputs. */
export interface RunCounts {
  ran(rowCount: number, ms: number, end: BatchEnd): void;
}

/** What waits for the same model in other threads, for limits that count it too. */
export interface OtherQueues {
  readonly rows: number;
  readonly bytes: number;
  /** Tells the others what waits here. */
  tell(rows: number, bytes: number): void;
}

/** What a batcher is made with; the defaults are the server's. */
export interface BatcherOptions {
  /** The batcher sets its `onIdle`; whoever made the pool closes it, after the batcher. */
  readonly pool: Pool;
  /** For messages. */
  readonly modelName: string;
  readonly batching: Batching;
  /** False: the rows of one entry alone share a run, so that what runs together is no matter of time. Default: `batching` decides. */
  readonly joinsEntries?: boolean;
  /** Outputs that are known not to have a row for each row of a batch; others are found when they come. */
  readonly rowlessOutputNames?: readonly string[];
  /** The most rows in one run; default 256. */
  readonly maxBatchSize?: number;
  /** How long rows may wait for others while an instance is idle; default 0. */
  readonly maxQueueDelayMicroseconds?: number;
  /** The most rows that wait; default 8,192. */
  readonly maxQueueRows?: number;
  /** The most bytes that wait; default 64 MiB. */
  readonly maxQueueBytes?: number;
  /** Default: none. */
  readonly otherQueues?: OtherQueues | undefined;
  /** Default: nobody. */
  readonly counts?: RunCounts;
  readonly log: Log;
}
