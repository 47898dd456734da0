import { afterEach, expect, test } from "vitest";
import { affineAnswer, affineEntry, type Core, score, startCore } from "../scoring-core.ts";

let core: Core;
afterEach(() => core.close());

test("each of 64 concurrent callers gets its own rows back", async () => {
  core = await startCore();
  const calls = Array.from({ length: 64 }, async (_, caller) => {
    for (let round = 0; round < 20; round++) {
      const options = { rowCount: 1 + ((caller + round) % 5), first: caller * 1000 + round * 10 };
      expect(await score(core, options)).toEqual(affineAnswer(options));
    }
  });
  await Promise.all(calls);
  expect(core.batcher.depth).toEqual({ rows: 0, bytes: 0, running: 0 });
});

test("an entry larger than the maximum is split and joined in the order of its rows", async () => {
  core = await startCore({ instances: 2, batcher: { maxBatchSize: 16 } });
  const options = { rowCount: 999, first: 5 };
  expect(await score(core, options)).toEqual(affineAnswer(options));
});

test("an entry without rows is answered with outputs without rows", async () => {
  core = await startCore();
  const entry = affineEntry({ rowCount: 0 });
  core.batcher.enqueue(entry);
  const [output] = await entry.answer;
  expect(output).toMatchObject({ name: "y", shape: [0, 2] });
});

test("rows of one request run singly where the model allows no more", async () => {
  core = await startCore({ batcher: { batching: "single-rows" } });
  const options = { rowCount: 37, first: 3 };
  expect(await score(core, options)).toEqual(affineAnswer(options));
});
