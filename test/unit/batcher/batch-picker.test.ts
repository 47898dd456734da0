import { expect, test } from "vitest";
import { BatchPicker } from "../../../src/batcher/batch-picker.ts";
import { batchShape } from "../../../src/batcher/batch-policy.ts";
import { createQueue } from "../../../src/batcher/queue.ts";
import { createTicket } from "../../../src/batcher/ticket.ts";
import { affineEntry } from "../../support/servers/scoring-core.ts";

test("a batch of bulk rows alone is half as large while interactive callers come", () => {
  const queue = createQueue();
  const picker = new BatchPicker(queue, batchShape("across-requests", 16));
  const rowsAt = (now: number) => {
    const plan = picker.plan(now);
    return plan && picker.take(plan).map((part) => part.rowCount);
  };
  queue.add(createTicket(affineEntry({ rowCount: 100, lane: "bulk" }), 0), true);
  expect(rowsAt(0)).toEqual([16]);
  queue.add(createTicket(affineEntry({ rowCount: 1 }), 0), true);
  // With the caller's row goes an eighth of a batch.
  expect(rowsAt(1)).toEqual([1, 2]);
  expect([rowsAt(2), rowsAt(100.9)]).toEqual([[8], [8]]);
  expect(rowsAt(101)).toEqual([16]);
});

test("rows may grow into a full batch unless they run alone, and the oldest tells how long they have waited", () => {
  const queue = createQueue();
  const picker = new BatchPicker(queue, batchShape("across-requests", 4));
  expect(picker.plan(0)).toBeUndefined();
  queue.add(createTicket(affineEntry({ rowCount: 3 }), 10), true);
  expect(picker.plan(12)).toMatchObject({ mayGrow: true, waitedMs: 2 });
  queue.add(createTicket(affineEntry({ rowCount: 1 }), 11), true);
  expect(picker.plan(12)).toMatchObject({ mayGrow: false, waitedMs: 2 });
  const alone = new BatchPicker(queue, batchShape("within-request", 4));
  expect(alone.plan(12)).toMatchObject({ mayGrow: false });
});

test("halves of a batch that failed go before all others, whole", () => {
  const queue = createQueue();
  const picker = new BatchPicker(queue, batchShape("across-requests", 16));
  const parts = [0, 1, 2].map(() => ({
    ticket: createTicket(affineEntry(), 0),
    fromRow: 0,
    rowCount: 1,
  }));
  queue.add(createTicket(affineEntry(), 0), true);
  picker.halve(parts);
  const taken = [0, 1, 2].map(() => picker.take(picker.plan(0)!).length);
  expect(taken).toEqual([1, 2, 1]);
  expect(picker.plan(0)).toBeUndefined();
});
