import { expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { BatcherOptions } from "../../../src/batcher/batcher.ts";
import { AssayError } from "../../../src/errors.ts";
import { fakeBatcher, succeedAll } from "../../support/servers/fake-pool.ts";
import { affineEntry, turn } from "../../support/servers/scoring-core.ts";

const setUp = (options: Partial<BatcherOptions> = {}, instances = 1) =>
  fakeBatcher({ maxQueueRows: 20_000, ...options }, instances);

test("thousands whose deadline has passed are told in slices, between which others have their turn", async () => {
  const { batcher } = setUp({}, 0);
  const deadlineAt = performance.now() + 30;
  const entries = Array.from({ length: 5000 }, (_, first) => affineEntry({ first, deadlineAt }));
  for (const entry of entries) batcher.enqueue(entry);
  const told = [0];
  let before = 0;
  while (before < entries.length) {
    await turn();
    const after = entries.reduce((sum, entry) => sum + entry.answerCount, 0);
    if (after > before) told.push(after - before);
    before = after;
  }
  expect(Math.max(...told)).toBeLessThanOrEqual(512);
  expect(batcher.depth.rows).toBe(0);
  await expect(entries[4999]!.answer).rejects.toMatchObject({ reason: Reason.DEADLINE_EXCEEDED });
});

test("thousands that are late when an instance is free again are told in slices too, and none is run", async () => {
  const { batcher, pool } = setUp({ maxBatchSize: 100 });
  batcher.enqueue(affineEntry());
  await turn();
  const deadlineAt = performance.now() + 20;
  const entries = Array.from({ length: 3000 }, (_, first) => affineEntry({ first, deadlineAt }));
  for (const entry of entries) batcher.enqueue(entry);
  while (performance.now() <= deadlineAt) {
    // The loop is held, so that no alarm rings before the instance is free.
  }
  pool.held[0]!.succeed();
  const told = entries.filter((entry) => entry.answerCount > 0).length;
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThanOrEqual(600);
  while (entries.some((entry) => entry.answerCount === 0)) await turn();
  expect(pool.held).toHaveLength(0);
});

test("an outage fails those that wait in slices, and closing fails them all", async () => {
  const { batcher, pool } = setUp({}, 0);
  const entries = Array.from({ length: 2000 }, (_, first) => affineEntry({ first }));
  for (const entry of entries) batcher.enqueue(entry);
  pool.outage = new AssayError(Reason.MODEL_NOT_READY, "no instance lives");
  pool.onIdle();
  const told = () => entries.filter((entry) => entry.answerCount > 0).length;
  expect(told()).toBe(512);
  await turn();
  expect(told()).toBe(1024);
  await batcher.close();
  expect(told()).toBe(2000);
});

test("entries without rows fill a batch too", async () => {
  const { batcher, pool } = setUp();
  batcher.enqueue(affineEntry());
  await turn();
  const entries = Array.from({ length: 5000 }, () => affineEntry({ rowCount: 0 }));
  for (const entry of entries) batcher.enqueue(entry);
  pool.held[0]!.succeed();
  expect(entries.filter((entry) => entry.answerCount > 0)).toHaveLength(0);
  pool.held[0]!.succeed();
  expect(entries.filter((entry) => entry.answerCount > 0)).toHaveLength(4096);
  await succeedAll(pool);
  expect(entries.filter((entry) => entry.answerCount > 0)).toHaveLength(5000);
});
