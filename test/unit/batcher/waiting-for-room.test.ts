import { afterEach, beforeEach, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { Batcher } from "../../../src/batcher/batcher.ts";
import { createBatcher } from "../../../src/batcher/create-batcher.ts";
import { AssayError } from "../../../src/errors.ts";
import { createFakePool, type FakePool } from "../../support/servers/fake-pool.ts";
import {
  affineAnswer,
  affineEntry,
  type EntryOptions,
  type TestEntry,
  turn,
} from "../../support/servers/scoring-core.ts";
import { silentLog } from "../../support/servers/silent-log.ts";

let pool: FakePool;
let batcher: Batcher;
beforeEach(() => {
  pool = createFakePool();
  batcher = createBatcher({
    pool,
    modelName: "affine",
    batching: "across-requests",
    maxBatchSize: 4,
    maxQueueRows: 8,
    log: silentLog,
  });
});
afterEach(async () => {
  while (pool.held.length > 0) pool.held[0]!.succeed();
  await batcher.close();
});

function waiting(options: EntryOptions = {}): TestEntry {
  return Object.assign(affineEntry({ lane: "bulk", ...options }), { waitsForRoom: true });
}

function enqueue(...entries: TestEntry[]): void {
  for (const entry of entries) batcher.enqueue(entry);
}

async function numbers(entry: TestEntry): Promise<number[]> {
  return Array.from((await entry.answer)[0]!.data, Number);
}

/** Answers what runs until nothing is left; returns the rows of each run. */
async function runAll(): Promise<number[]> {
  const rows: number[] = [];
  for (await turn(); pool.held.length > 0; await turn()) {
    rows.push(pool.held[0]!.shape[0]!);
    pool.held[0]!.succeed();
  }
  return rows;
}

test("entries beyond the queue wait and are scored as room comes, in their order", async () => {
  const options = Array.from({ length: 6 }, (_, i) => ({ rowCount: 4, first: i * 10 }));
  const entries = options.map((one) => waiting(one));
  enqueue(...entries);
  // Bulk entries fill three quarters of the queue.
  expect(batcher.depth.rows).toBe(4);
  expect(entries.map((entry) => entry.answerCount)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(await runAll()).toEqual([4, 4, 4, 4, 4, 4]);
  for (const [i, entry] of entries.entries()) expect(await numbers(entry)).toEqual(affineAnswer(options[i]));
});

test("who does not wait is refused at once while others wait", async () => {
  const first = waiting({ rowCount: 6 });
  const second = waiting({ rowCount: 6 });
  enqueue(first, second);
  const refused = affineEntry({ rowCount: 3 });
  const admitted = affineEntry({ rowCount: 2 });
  enqueue(refused, admitted);
  await expect(refused.answer).rejects.toMatchObject({ reason: Reason.QUEUE_FULL });
  await runAll();
  expect([first, second, admitted].map((entry) => entry.answerCount)).toEqual([1, 1, 1]);
});

test("an entry that would fit does not overtake one that waits", async () => {
  const large = waiting({ rowCount: 5, first: 10 });
  const small = waiting({ rowCount: 1, first: 20 });
  enqueue(waiting({ rowCount: 4 }), large, small);
  expect(batcher.depth.rows).toBe(4);
  await turn();
  pool.held[0]!.succeed();
  expect(batcher.depth.rows + batcher.depth.running).toBe(6);
  await runAll();
  expect(await numbers(small)).toEqual(affineAnswer({ first: 20 }));
});

test("an entry that can never fit is refused although it waits", async () => {
  const entry = waiting({ rowCount: 9 });
  enqueue(entry);
  await expect(entry.answer).rejects.toMatchObject({ reason: Reason.REQUEST_TOO_LARGE });
});

test("a deadline ends the wait", async () => {
  const first = waiting({ rowCount: 6 });
  const late = waiting({ rowCount: 6, deadlineAt: performance.now() + 20 });
  enqueue(first, late);
  await expect(late.answer).rejects.toMatchObject({
    reason: Reason.DEADLINE_EXCEEDED,
    message: expect.stringContaining("waiting to run"),
  });
  expect(await runAll()).toEqual([4, 2]);
});

test("an entry that is taken back while it waits is never run", async () => {
  const gone = waiting({ rowCount: 6 });
  const last = waiting({ rowCount: 1, first: 3 });
  enqueue(waiting({ rowCount: 6 }));
  const ticket = batcher.enqueue(gone)!;
  enqueue(last);
  batcher.cancel(ticket);
  expect(await runAll()).toEqual([4, 3]);
  expect(gone.answerCount).toBe(0);
  expect(await numbers(last)).toEqual(affineAnswer({ first: 3 }));
});

test("a drain answers what waits", async () => {
  const entries = [waiting({ rowCount: 6 }), waiting({ rowCount: 6 })];
  enqueue(...entries);
  const drained = batcher.drain();
  await runAll();
  await drained;
  expect(entries.map((entry) => entry.answerCount)).toEqual([1, 1]);
});

test("a close and an outage fail what waits", async () => {
  const entry = waiting({ rowCount: 6 });
  enqueue(waiting({ rowCount: 6 }), entry);
  await turn();
  pool.outage = new AssayError(Reason.MODEL_NOT_READY, "no instance lives");
  pool.onIdle();
  await expect(entry.answer).rejects.toMatchObject({ reason: Reason.MODEL_NOT_READY });
  pool.outage = undefined;
  await runAll();
  const left = [waiting({ rowCount: 6 }), waiting({ rowCount: 6 })];
  enqueue(...left);
  await batcher.close();
  for (const one of left) await expect(one.answer).rejects.toMatchObject({ reason: Reason.SHUTTING_DOWN });
});
