import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { Lane } from "./batcher.ts";
import type { DrainRate } from "./drain-rate.ts";

/** How much may wait. */
export interface QueueLimits {
  readonly maxQueueRows: number;
  readonly maxQueueBytes: number;
}

/** The share of the queue that bulk entries may fill: what streams send ahead leaves room for those who wait for an answer. */
const BULK_ROOM = 3 / 4;

/** Rows and the bytes that they take. */
export interface Size {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Decides whether an entry may wait: undefined if so, else LIMIT_REACHED for what never fits and QUEUE_FULL, with the time that
 * the present queue will take, for what does not fit now. Bulk entries fill three quarters of the queue at most.
 */
export function createAdmission(
  modelName: string,
  limits: QueueLimits,
  drainRate: DrainRate,
): (entry: Size, lane: Lane, waiting: Size) => AssayError | undefined {
  const { maxQueueRows, maxQueueBytes } = limits;
  let full: AssayError | undefined;
  return (entry, lane, waiting) => {
    if (entry.rows > maxQueueRows || entry.bytes > maxQueueBytes) {
      return new AssayError(
        Reason.LIMIT_REACHED,
        `${entry.rows} rows in ${entry.bytes} bytes came; the queue of model ${modelName} takes ${maxQueueRows} rows in ${maxQueueBytes} bytes (max_queue_rows, max_queue_bytes); send fewer rows in one request`,
      );
    }
    const share = lane === "bulk" && waiting.rows > 0 ? BULK_ROOM : 1;
    const fits =
      waiting.rows + entry.rows <= maxQueueRows * share &&
      waiting.bytes + entry.bytes <= maxQueueBytes * share;
    if (fits) return undefined;
    const retryAfterMs = drainRate.msUntilGone(waiting.rows);
    // A full queue refuses many at once: an error costs more than the refusal, so equal ones are the same.
    if (full?.retryAfterMs !== retryAfterMs) {
      full = new AssayError(
        Reason.QUEUE_FULL,
        `the queue of model ${modelName} is full: it takes ${maxQueueRows} rows in ${maxQueueBytes} bytes; try again in ${retryAfterMs} ms`,
        { retryAfterMs },
      );
    }
    return full;
  };
}
