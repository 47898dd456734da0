import { expect, test } from "vitest";
import { createBatchPicker } from "../../../src/batcher/batch-picker.ts";
import { batchShape } from "../../../src/batcher/batch-policy.ts";
import { createQueue } from "../../../src/batcher/queue.ts";
import { createTicket } from "../../../src/batcher/ticket.ts";
import { affineEntry } from "../../support/servers/scoring-core.ts";

test("a batch of bulk rows alone is half as large while interactive callers come", () => {
  const queue = createQueue();
  const picker = createBatchPicker(queue, batchShape("across-requests", 16), 0);
  const rowsAt = (now: number) => {
    const next = picker.next(now, false);
    return next?.kind === "parts" ? next.parts.map((part) => part.rowCount) : next;
  };
  queue.add(createTicket(affineEntry({ rowCount: 100, lane: "bulk" }), 0), true);
  expect(rowsAt(0)).toEqual([16]);
  queue.add(createTicket(affineEntry({ rowCount: 1 }), 0), true);
  // With the caller's row goes an eighth of a batch.
  expect(rowsAt(1)).toEqual([1, 2]);
  expect([rowsAt(2), rowsAt(100.9)]).toEqual([[8], [8]]);
  expect(rowsAt(101)).toEqual([16]);
});
