import { afterEach, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import {
  affineAnswer,
  affineEntry,
  type Core,
  score,
  startCore,
  turn,
} from "../../support/servers/scoring-core.ts";
import { COMMANDED_WORKER_URL, commandWorkers } from "../../support/servers/worker-commands.ts";

let core: Core;
afterEach(() => core.close());

test("a caller is answered at its deadline even while its batch runs", async () => {
  core = await startCore({ pool: { workerUrl: COMMANDED_WORKER_URL } });
  await score(core);
  commandWorkers({ kind: "pause", ms: 600 });
  const startedAt = performance.now();
  const entry = affineEntry({ deadlineAt: startedAt + 50 });
  core.batcher.enqueue(entry);
  await expect(entry.answer).rejects.toMatchObject({
    reason: Reason.DEADLINE_EXCEEDED,
    message: expect.stringContaining("running"),
  });
  const tookMs = performance.now() - startedAt;
  expect(tookMs).toBeGreaterThanOrEqual(50);
  expect(tookMs).toBeLessThan(500);
  expect(await score(core, { first: 9 })).toEqual(affineAnswer({ first: 9 }));
  expect(entry.answerCount).toBe(1);
});

test("a row whose deadline passes while it waits is dropped before it runs, with its place in the queue", async () => {
  core = await startCore({ pool: { workerUrl: COMMANDED_WORKER_URL } });
  commandWorkers({ kind: "pause", ms: 300 });
  const running = affineEntry();
  core.batcher.enqueue(running);
  await turn();
  const written: number[] = [];
  const late = affineEntry({ deadlineAt: performance.now() + 20 });
  const entry = { ...late, write: () => written.push(1) };
  core.batcher.enqueue(entry);
  expect(core.batcher.depth).toMatchObject({ rows: 1 });
  await expect(late.answer).rejects.toMatchObject({
    reason: Reason.DEADLINE_EXCEEDED,
    message: expect.stringContaining("waiting"),
  });
  expect(core.batcher.depth).toMatchObject({ rows: 0, bytes: 0 });
  await running.answer;
  await score(core);
  expect(written).toEqual([]);
});

test("an entry that comes after its deadline is answered DEADLINE_EXCEEDED", async () => {
  core = await startCore();
  const entry = affineEntry({ deadlineAt: performance.now() - 1 });
  core.batcher.enqueue(entry);
  await expect(entry.answer).rejects.toMatchObject({ reason: Reason.DEADLINE_EXCEEDED });
});
