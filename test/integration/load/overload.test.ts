import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../../src/errors.ts";
import {
  affineEntry,
  type Core,
  score,
  startCore,
  type TestEntry,
} from "../../support/servers/scoring-core.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

let core: Core;
afterEach(() => core.close());

/** Offers ten times what the queue holds in one turn of the loop, in which no run begins or ends. */
async function overfill(maxQueueRows: number): Promise<{ answered: number; refused: AssayError[] }> {
  const entries: TestEntry[] = [];
  for (let first = 0; first < maxQueueRows * 10; first++) {
    const entry = affineEntry({ first });
    entries.push(entry);
    core.batcher.enqueue(entry);
  }
  const refused: AssayError[] = [];
  let answered = 0;
  for (let first = 0; first < entries.length; first++) {
    const entry = entries[first]!;
    try {
      const [output] = await entry.answer;
      if (output?.data[0] === 2 * first + 1) answered++;
    } catch (error) {
      if (!(error instanceof AssayError)) throw error;
      refused.push(error);
    }
  }
  expect(entries.every((entry) => entry.answerCount === 1)).toBe(true);
  return { answered, refused };
}

test("a queue filled tenfold refuses with QUEUE_FULL and a delay, loses nothing and keeps no memory", async () => {
  const maxQueueRows = 1_000;
  core = await startCore({ batcher: { maxQueueRows } });
  // V8 grows to its working size first; what grows after that would be a leak.
  for (let round = 0; round < 15; round++) await overfill(maxQueueRows);
  collectGarbage();
  const before = process.memoryUsage.rss();
  for (let round = 0; round < 10; round++) {
    const { answered, refused } = await overfill(maxQueueRows);
    expect(answered).toBe(maxQueueRows);
    expect(refused.length).toBe(maxQueueRows * 9);
    expect(refused.every((error) => error.reason === Reason.QUEUE_FULL)).toBe(true);
    expect(refused.every((error) => error.retryAfterMs! >= 10 && error.retryAfterMs! <= 30_000)).toBe(true);
  }
  expect(core.batcher.depth).toEqual({ rows: 0, bytes: 0, running: 0, entries: 0 });
  collectGarbage();
  expect(process.memoryUsage.rss()).toBeLessThanOrEqual(before * 1.2);
});

test("the queue is bounded in bytes too", async () => {
  core = await startCore({ batcher: { maxQueueBytes: 80 } });
  const entries = [9, 1, 1].map((rowCount) => affineEntry({ rowCount }));
  for (const entry of entries) core.batcher.enqueue(entry);
  await expect(entries[0]!.answer).resolves.toHaveLength(1);
  await expect(entries[1]!.answer).resolves.toHaveLength(1);
  await expect(entries[2]!.answer).rejects.toMatchObject({ reason: Reason.QUEUE_FULL });
});

test("an entry that no empty queue would take is refused with REQUEST_TOO_LARGE and the limits", async () => {
  core = await startCore({ batcher: { maxQueueRows: 100 } });
  const entry = affineEntry({ rowCount: 101 });
  core.batcher.enqueue(entry);
  await expect(entry.answer).rejects.toMatchObject({
    reason: Reason.REQUEST_TOO_LARGE,
    message: expect.stringMatching(/101 rows came.* takes 100 rows/),
  });
});

test("inputs that take more memory than one run may have are refused, and the instance goes on", async () => {
  core = await startCore({ pool: { maxRunBytes: 4096 } });
  const entry = affineEntry({ rowCount: 250, columns: 5 });
  core.batcher.enqueue(entry);
  await expect(entry.answer).rejects.toMatchObject({ reason: Reason.REQUEST_TOO_LARGE });
  expect(await score(core)).toEqual([1, 1]);
});
