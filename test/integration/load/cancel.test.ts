import { afterEach, expect, test } from "vitest";
import { affineEntry, type Core, score, startCore, turn } from "../../support/servers/scoring-core.ts";
import { COMMANDED_WORKER_URL, commandWorkers } from "../../support/servers/worker-commands.ts";

let core: Core;
afterEach(() => core.close());

test("a cancelled entry that waits is not run, gives its place back and hears nothing", async () => {
  core = await startCore({ pool: { workerUrl: COMMANDED_WORKER_URL } });
  commandWorkers({ kind: "pause", ms: 100 });
  core.batcher.enqueue(affineEntry());
  await turn();
  let written = 0;
  const waiting = affineEntry({ rowCount: 5 });
  const entry = { ...waiting, write: () => written++ };
  const ticket = core.batcher.enqueue(entry)!;
  expect(core.batcher.depth.rows).toBe(5);
  core.batcher.cancel(ticket);
  expect(core.batcher.depth).toMatchObject({ rows: 0, bytes: 0 });
  await score(core);
  expect(written).toBe(0);
  expect(waiting.answerCount).toBe(0);
});

test("a cancelled entry that runs hears nothing", async () => {
  core = await startCore({ pool: { workerUrl: COMMANDED_WORKER_URL } });
  commandWorkers({ kind: "pause", ms: 50 });
  const running = affineEntry();
  const ticket = core.batcher.enqueue(running)!;
  await turn();
  expect(core.batcher.depth.running).toBe(1);
  core.batcher.cancel(ticket);
  await score(core);
  expect(running.answerCount).toBe(0);
});

test("what is cancelled of a split entry is not run further", async () => {
  core = await startCore({ pool: { workerUrl: COMMANDED_WORKER_URL }, batcher: { maxBatchSize: 4 } });
  commandWorkers({ kind: "pause", ms: 50 });
  const rowsWritten: number[] = [];
  const split = affineEntry({ rowCount: 12 });
  const entry = {
    ...split,
    write(...[writer, fromRow, rowCount]: Parameters<typeof split.write>) {
      rowsWritten.push(fromRow);
      split.write(writer, fromRow, rowCount);
    },
  };
  const ticket = core.batcher.enqueue(entry)!;
  await turn();
  core.batcher.cancel(ticket);
  core.batcher.cancel(ticket);
  await score(core);
  expect(rowsWritten).toEqual([0]);
  expect(core.batcher.depth).toEqual({ rows: 0, bytes: 0, running: 0, entries: 0 });
});
