import { afterEach, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { onnxModel } from "../../support/models/onnx-model.ts";
import {
  affineAnswer,
  affineEntry,
  type Core,
  score,
  startCore,
} from "../../support/servers/scoring-core.ts";
import { silentLog } from "../../support/servers/silent-log.ts";

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
  expect(core.batcher.depth).toEqual({ rows: 0, bytes: 0, running: 0, entries: 0 });
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

test("an output without rows is answered whole, and who asks for it alone", async () => {
  const model = onnxModel("constant", {
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
    outputs: [
      { name: "y", datatype: "FP32", shape: [-1, 2] },
      { name: "three", datatype: "FP32", shape: [3] },
    ],
    nodes: [
      { op: "Identity", inputs: ["x"], outputs: ["y"] },
      { op: "Identity", inputs: ["constant"], outputs: ["three"] },
    ],
    initializers: [{ name: "constant", shape: [3], data: [7, 8, 9] }],
  });
  const said: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => said.push(fields) };
  core = await startCore({ model, batcher: { maxBatchSize: 8, log } });
  for (let round = 0; round < 2; round++) {
    const entries = Array.from({ length: 6 }, (_, first) =>
      affineEntry({ first, outputNames: first % 2 === 0 ? [] : ["y"] }),
    );
    for (const entry of entries) core.batcher.enqueue(entry);
    for (const [first, entry] of entries.entries()) {
      const outputs = await entry.answer;
      const y = { name: "y", datatype: "FP32", shape: [1, 2], data: Float32Array.of(first, first) };
      const three = { name: "three", datatype: "FP32", shape: [3], data: Float32Array.of(7, 8, 9) };
      expect(outputs).toEqual(first % 2 === 0 ? [y, three] : [y]);
    }
  }
  expect(said).toEqual([{ model: "constant", output: "three" }]);
  const large = affineEntry({ rowCount: 9 });
  core.batcher.enqueue(large);
  await expect(large.answer).rejects.toMatchObject({
    reason: Reason.RUN_FAILED,
    message: expect.stringMatching(/"three" \[3\]; send at most 8 rows in one request/),
  });
});
