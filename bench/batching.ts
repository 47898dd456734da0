/**
 * Rows through batcher, pool and worker: one caller alone, 8 and 64 callers of one row, one caller of 64 rows; beside it the same
 * session in a bare loop in this thread, by single rows and by 64. Prints microseconds a row and the share of the bare loop's speed.
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { type Entry, NOT_YET } from "../src/batcher/batcher.ts";
import { createBatcher } from "../src/batcher/create-batcher.ts";
import { createPool } from "../src/pool/create-pool.ts";
import { onnxModel } from "../test/support/models/onnx-model.ts";
import { silentLog } from "../test/support/servers/silent-log.ts";
import { median } from "./statistics.ts";

const COLUMNS = 30;
const HIDDEN = 256;
const ROUNDS = 5;
const ROWS = 6_400;

const weight = (_: unknown, i: number): number => Math.sin(i * 12.9898) / 8;
const model = onnxModel("perceptron", {
  inputs: [{ name: "x", datatype: "FP32", shape: [-1, COLUMNS] }],
  outputs: [{ name: "y", datatype: "FP32", shape: [-1, 1] }],
  nodes: [
    { op: "MatMul", inputs: ["x", "first"], outputs: ["a"] },
    { op: "Tanh", inputs: ["a"], outputs: ["b"] },
    { op: "MatMul", inputs: ["b", "second"], outputs: ["c"] },
    { op: "Tanh", inputs: ["c"], outputs: ["d"] },
    { op: "MatMul", inputs: ["d", "third"], outputs: ["y"] },
  ],
  initializers: [
    { name: "first", shape: [COLUMNS, HIDDEN], data: Array.from({ length: COLUMNS * HIDDEN }, weight) },
    { name: "second", shape: [HIDDEN, HIDDEN], data: Array.from({ length: HIDDEN * HIDDEN }, weight) },
    { name: "third", shape: [HIDDEN, 1], data: Array.from({ length: HIDDEN }, weight) },
  ],
});
const features = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.sin(i));

const session = await InferenceSession.create(model.bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const pool = await createPool({ model, devices: [{ provider: "cpu", deviceId: 0 }], log: silentLog });
const batcher = createBatcher({ pool, modelName: "perceptron", batching: "across-requests", log: silentLog });
const inputs = [{ name: "x", datatype: "FP32", tailShape: [COLUMNS] }] as const;

function score(row: number, rowCount: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const entry: Entry = {
      rowCount,
      byteCount: rowCount * COLUMNS * 4,
      inputs,
      shapeKey: "x",
      lane: "interactive",
      deadlineAt: performance.now() + 60_000,
      outputNames: [],
      times: { enqueuedAt: NOT_YET, startedAt: NOT_YET, endedAt: NOT_YET },
      write(writer, fromRow, count) {
        const from = (row + fromRow) * COLUMNS;
        (writer.numeric(0) as Float32Array).set(features.subarray(from, from + count * COLUMNS));
      },
      onOutputs: ([output]) => resolve(output!.data[0] as number),
      onError: reject,
    };
    batcher.enqueue(entry);
  });
}

async function callers(count: number, rowCount: number): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let row = next; row < ROWS; row = next) {
      next += rowCount;
      await score(row, rowCount);
    }
  };
  await Promise.all(Array.from({ length: count }, caller));
}

async function bareLoop(rowCount: number): Promise<void> {
  for (let row = 0; row < ROWS; row += rowCount) {
    const rows = features.subarray(row * COLUMNS, (row + rowCount) * COLUMNS);
    await session.run({ x: new Tensor("float32", rows, [rowCount, COLUMNS]) });
  }
}

const cases = [
  { name: "bare loop, single rows", run: () => bareLoop(1) },
  { name: "bare loop, 64 rows", run: () => bareLoop(64) },
  { name: "1 caller of 1 row", run: () => callers(1, 1) },
  { name: "8 callers of 1 row", run: () => callers(8, 1) },
  { name: "64 callers of 1 row", run: () => callers(64, 1) },
  { name: "2 callers of 64 rows", run: () => callers(2, 64) },
].map((one) => ({ ...one, microseconds: [] as number[] }));

for (let round = -1; round < ROUNDS; round++) {
  for (const one of cases) {
    const startedAt = performance.now();
    await one.run();
    if (round >= 0) one.microseconds.push(((performance.now() - startedAt) * 1_000) / ROWS);
  }
}
await batcher.close();
await pool.close();

const [single, batched] = cases;
for (const { name, microseconds } of cases) {
  const share = (bare: readonly number[]): string =>
    median(microseconds.map((one, round) => bare[round]! / one)).toFixed(2);
  console.log(
    `${name.padEnd(24)} ${median(microseconds).toFixed(1).padStart(7)} us a row, ${share(single!.microseconds)} of bare single rows, ${share(batched!.microseconds)} of bare batches`,
  );
}
