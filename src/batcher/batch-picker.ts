import {
  type BatchShape,
  bulkBatchRows,
  gatherMs,
  leadingLane,
  nextBulkCredit,
  splitLanes,
} from "./batch-policy.ts";
import type { EntryQueue } from "./queue.ts";
import type { Part } from "./ticket.ts";

/** Rows to run together, or how long to wait for more of them. */
type NextBatch =
  | { readonly kind: "parts"; readonly parts: Part[] }
  | { readonly kind: "wait"; readonly waitMs: number };

/** Takes batches out of a queue as the policy says; made by `createBatchPicker`. */
export interface BatchPicker {
  /** Undefined where nothing waits. `gathers` is false where rows are not to wait for others. */
  next(now: number, gathers: boolean): NextBatch | undefined;
}

/** `maxDelayMicroseconds` is how long rows may wait for others. */
export function createBatchPicker(
  queue: EntryQueue,
  shape: BatchShape,
  maxDelayMicroseconds: number,
): BatchPicker {
  const { maxRows, splitsEntries } = shape;
  let bulkCredit = 0;
  let interactiveAt = Number.NEGATIVE_INFINITY;
  return {
    next(now, gathers) {
      const interactive = queue.first("interactive");
      const bulk = queue.first("bulk");
      if (interactive !== undefined) interactiveAt = now;
      const bothWait = interactive !== undefined && bulk !== undefined;
      const waits = { interactive: interactive !== undefined, bulk: bulk !== undefined };
      const lead = leadingLane(waits, bulkCredit, maxRows);
      const head = lead === "bulk" ? bulk : interactive;
      if (head === undefined) return undefined;
      const group = head.group!;
      const joinsEntries = shape.joinsEntries && group.joinsEntries;
      const mostRows = interactive === undefined ? bulkBatchRows(maxRows, now - interactiveAt) : maxRows;
      const rows = { interactive: group.interactiveRows, bulk: group.bulkRows };
      if (gathers && joinsEntries) {
        const waitedMs = now - head.enqueuedAt;
        const waitMs = gatherMs(rows.interactive + rows.bulk, mostRows, waitedMs, maxDelayMicroseconds);
        if (waitMs > 0) return { kind: "wait", waitMs };
      }
      const parts: Part[] = [];
      const bulkBefore = queue.laneRows.bulk;
      if (joinsEntries) {
        const split = splitLanes(rows, mostRows, lead, bulkCredit);
        queue.take(group, "interactive", split.interactive, parts);
        queue.take(group, "bulk", split.bulk, parts);
      } else {
        queue.takeFrom(head, splitsEntries ? maxRows : Number.MAX_SAFE_INTEGER, parts);
      }
      bulkCredit = nextBulkCredit(bulkCredit, maxRows, bulkBefore - queue.laneRows.bulk, bothWait);
      return { kind: "parts", parts };
    },
  };
}
