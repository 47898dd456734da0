import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError, withoutStack } from "../errors.ts";
import type { Entry } from "./batcher.ts";

/** Limits of what may wait. */
export interface QueueLimits {
  readonly maxQueueRows: number;
  readonly maxQueueBytes: number;
}

/** The share of the queue that bulk entries may fill: what streams send ahead leaves room for those who wait for an answer. */
const BULK_ROOM = 3 / 4;

/** What waits: rows and the bytes that they take. */
export interface Waiting {
  readonly rows: number;
  readonly bytes: number;
}

/** What an entry takes of the queue. */
type Size = Pick<Entry, "rowCount" | "byteCount" | "lane">;

/** Decides whether an entry may wait in the queue; bulk entries fill three quarters of it at most. */
export interface Admission {
  /** REQUEST_TOO_LARGE for what never fits; undefined for all else. */
  tooLarge(entry: Size): AssayError | undefined;
  /** Whether the entry fits beside what waits. */
  hasRoom(entry: Size, waiting: Waiting): boolean;
  /** QUEUE_FULL with the time that the present queue will take. */
  queueFull(waiting: Waiting, entry: Size): AssayError;
}

/** Makes the admission to one model's queue. */
export function createAdmission(modelName: string, limits: QueueLimits, drainRate: DrainRate): Admission {
  const { maxQueueRows, maxQueueBytes } = limits;
  let full: AssayError | undefined;
  return {
    tooLarge({ rowCount, byteCount }) {
      if (rowCount <= maxQueueRows && byteCount <= maxQueueBytes) return undefined;
      const isOfRows = rowCount > maxQueueRows;
      const [came, most] = isOfRows
        ? [`${rowCount} rows`, `${maxQueueRows} rows (max_queue_rows)`]
        : [`rows of ${byteCount} bytes`, `${maxQueueBytes} bytes (max_queue_bytes)`];
      return withoutStack(
        () =>
          new AssayError(
            Reason.REQUEST_TOO_LARGE,
            `${came} came; the queue of model ${modelName} takes ${most}, however empty it is; send fewer rows in one request`,
            { limit: isOfRows ? "max-queue-rows" : "max-queue-bytes" },
          ),
      );
    },
    hasRoom(entry, waiting) {
      const share = entry.lane === "bulk" && waiting.rows > 0 ? BULK_ROOM : 1;
      return (
        waiting.rows + entry.rowCount <= maxQueueRows * share &&
        waiting.bytes + entry.byteCount <= maxQueueBytes * share
      );
    },
    queueFull(waiting, entry) {
      const retryAfterMs = drainRate.msUntilGone(waiting.rows);
      // A full queue refuses many at once: an error costs more than the refusal, so equal ones are the same.
      const isOfBytes = waiting.bytes + entry.byteCount > maxQueueBytes;
      const limit = isOfBytes ? "max-queue-bytes" : "max-queue-rows";
      if (full?.retryAfterMs !== retryAfterMs || full.limit !== limit) {
        full = new AssayError(
          Reason.QUEUE_FULL,
          `the queue of model ${modelName} is full: it takes ${maxQueueRows} rows in ${maxQueueBytes} bytes; try again in ${retryAfterMs} ms`,
          { retryAfterMs, limit },
        );
      }
      return full;
    },
  };
}

/** The rate at which rows leave the queue, learned from the batches that end; made by `createDrainRate`. */
export interface DrainRate {
  /** `rowCount` rows were answered at `now`, having begun to run at `startedAt`. */
  observe(rowCount: number, startedAt: number, now: number): void;
  /** How long until `rowCount` waiting rows will have gone, in milliseconds, between 10 and 30,000. */
  msUntilGone(rowCount: number): number;
}

/** The weight of the newest batch in the average. */
const NEWEST_WEIGHT = 0.2;
const UNKNOWN_MS = 1_000;
const LEAST_MS = 10;
const MOST_MS = 30_000;

/** Rows a millisecond after one more batch; `elapsedMs` is what it kept the instances busy. */
export function nextRate(rowsPerMs: number | undefined, rowCount: number, elapsedMs: number): number {
  const latest = rowCount / Math.max(elapsedMs, 0.001);
  return rowsPerMs === undefined ? latest : rowsPerMs + (latest - rowsPerMs) * NEWEST_WEIGHT;
}

/** Starts with no batch seen: a delay of one second. */
export function createDrainRate(): DrainRate {
  let rowsPerMs: number | undefined;
  let lastEnd = 0;
  return {
    observe(rowCount, startedAt, now) {
      if (rowCount === 0) return;
      // Instances run side by side: what counts is the time since any of them ended a batch.
      rowsPerMs = nextRate(rowsPerMs, rowCount, now - Math.max(startedAt, lastEnd));
      lastEnd = now;
    },
    msUntilGone(rowCount) {
      if (rowsPerMs === undefined) return UNKNOWN_MS;
      return Math.min(MOST_MS, Math.max(LEAST_MS, Math.ceil(rowCount / rowsPerMs)));
    },
  };
}
