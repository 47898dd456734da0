import { expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { SharedQueues, sharedQueueMemory } from "../../../src/batcher/shared-queues.ts";
import { fakeBatcher, succeedAll } from "../../support/servers/fake-pool.ts";
import { affineEntry, turn } from "../../support/servers/scoring-core.ts";

test("each queue knows what waits in the others, and one that begins anew waits for nothing", () => {
  const memory = sharedQueueMemory(3);
  const queues = [0, 1, 2].map((place) => new SharedQueues(memory, place));
  queues[0]!.tell(5, 100);
  queues[2]!.tell(7, 1_000);
  expect(queues.map(({ rows, bytes }) => [rows, bytes])).toEqual([
    [7, 1_000],
    [12, 1_100],
    [5, 100],
  ]);
  new SharedQueues(memory, 2);
  expect(queues[1]).toMatchObject({ rows: 5, bytes: 100 });
});

test("two batchers with one limit refuse together what either alone would take, and take it when there is room", async () => {
  const memory = sharedQueueMemory(2);
  const [one, other] = [0, 1].map((place) =>
    fakeBatcher({ maxQueueRows: 10, maxBatchSize: 1, otherQueues: new SharedQueues(memory, place) }),
  );
  const held = affineEntry();
  one!.batcher.enqueue(held);
  await turn();
  one!.batcher.enqueue(affineEntry({ rowCount: 8 }));
  const refused = affineEntry({ rowCount: 3 });
  other!.batcher.enqueue(refused);
  await expect(refused.answer).rejects.toMatchObject({ reason: Reason.QUEUE_FULL });
  await succeedAll(one!.pool);
  const taken = affineEntry({ rowCount: 3 });
  other!.batcher.enqueue(taken);
  await succeedAll(other!.pool);
  await expect(taken.answer).resolves.toHaveLength(1);
});

test("what is taken back or late leaves the shared count", async () => {
  const memory = sharedQueueMemory(2);
  const { batcher, pool } = fakeBatcher({ maxBatchSize: 1, otherQueues: new SharedQueues(memory, 0) });
  const seen = new SharedQueues(memory, 1);
  batcher.enqueue(affineEntry());
  await turn();
  const ticket = batcher.enqueue(affineEntry({ rowCount: 4 }));
  const late = affineEntry({ rowCount: 2, deadlineAt: performance.now() - 1 });
  batcher.enqueue(late);
  expect(seen.rows).toBeGreaterThanOrEqual(4);
  batcher.cancel(ticket!);
  await succeedAll(pool);
  expect(seen).toMatchObject({ rows: 0, bytes: 0 });
});

test("an entry that waits for room enters a queue that is empty, though others fill the limit: nothing would wake it", async () => {
  const memory = sharedQueueMemory(2);
  new SharedQueues(memory, 1).tell(10, 80);
  const { batcher, pool } = fakeBatcher({ maxQueueRows: 10, otherQueues: new SharedQueues(memory, 0) });
  new SharedQueues(memory, 1).tell(10, 80);
  const waiting = [3, 4].map((rowCount) => ({
    ...affineEntry({ rowCount, lane: "bulk" }),
    waitsForRoom: true,
  }));
  for (const entry of waiting) batcher.enqueue(entry);
  await succeedAll(pool);
  for (const { answer } of waiting) await expect(answer).resolves.toHaveLength(1);
});
