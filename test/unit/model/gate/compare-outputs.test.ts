import { expect, test } from "vitest";
import { compareOutputs, ROW_TOLERANCE } from "../../../../src/model/gate/compare-outputs.ts";
import { numberToHalf } from "../../../../src/tensor/float-bits.ts";
import type { TensorData } from "../../../../src/tensor/tensor-data.ts";

const fp32 = (shape: number[], ...values: number[]): TensorData => ({
  name: "p",
  datatype: "FP32",
  shape,
  data: Float32Array.from(values),
});
const fp16 = (...values: number[]): TensorData => ({
  name: "p",
  datatype: "FP16",
  shape: [values.length],
  data: Uint16Array.from(values, numberToHalf),
});
const text = (...data: string[]): TensorData => ({
  name: "l",
  datatype: "BYTES",
  shape: [data.length],
  data,
});
const int64 = (...values: bigint[]): TensorData => ({
  name: "i",
  datatype: "INT64",
  shape: [values.length],
  data: BigInt64Array.from(values),
});
const nan = Number.NaN;

test.each([
  ["equal numbers agree", [fp32([2], 1, 2)], [fp32([2], 1, 2)], undefined],
  ["numbers within the tolerance agree", [fp32([1], 100.005)], [fp32([1], 100)], undefined],
  [
    "numbers beyond it do not, and are named",
    [fp32([2], 1, 2.1)],
    [fp32([2], 1, 2)],
    { output: "p", row: 1 },
  ],
  ["NaN agrees with NaN", [fp32([1], nan)], [fp32([1], nan)], undefined],
  ["NaN does not agree with a number", [fp32([1], nan)], [fp32([1], 1)], { output: "p", row: 0 }],
  ["infinities agree with themselves alone", [fp32([1], Infinity)], [fp32([1], -Infinity)], { row: 0 }],
  ["half precision has a wider tolerance", [fp16(1.005)], [fp16(1)], undefined],
  ["half precision has a tolerance", [fp16(1.1)], [fp16(1)], { row: 0 }],
  ["[N] and [N,1] are the same", [fp32([2, 1], 1, 2)], [fp32([2], 1, 2)], undefined],
  [
    "another count is named",
    [fp32([1], 1)],
    [fp32([2], 1, 2)],
    { description: "shape [1] came, [2] expected" },
  ],
  ["a missing output is named", [], [fp32([1], 1)], { description: "did not come" }],
  ["outputs that are not expected do not matter", [fp32([1], 1), text("a")], [fp32([1], 1)], undefined],
  ["whole numbers have no tolerance", [int64(10_001n)], [int64(10_000n)], { output: "i" }],
  ["large whole numbers are compared exactly", [int64(2n ** 60n + 1n)], [int64(2n ** 60n)], { output: "i" }],
  [
    "a label that differs is named",
    [text("a"), fp32([1, 2], 0.9, 0.1)],
    [text("b")],
    { output: "l", row: 0 },
  ],
  [
    "a label may differ where the two highest are equal",
    [text("a"), fp32([1, 2], 0.5, 0.5)],
    [text("b")],
    undefined,
  ],
  [
    "the third value does not matter for that",
    [text("a"), fp32([1, 3], 0.4, 0.3, 0.3)],
    [text("b")],
    { output: "l" },
  ],
] as const)("%s", (_, actual, expected, mismatch) => {
  const rowCount = expected[0]!.shape[0]!;
  const came = compareOutputs(actual, expected, rowCount, ROW_TOLERANCE);
  if (mismatch === undefined) expect(came).toBeUndefined();
  else expect(came).toMatchObject(mismatch);
});
