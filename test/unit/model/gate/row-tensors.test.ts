import fc from "fast-check";
import { expect, test } from "vitest";
import { joinRows, takeRows } from "../../../../src/model/gate/row-tensors.ts";
import type { TensorData } from "../../../../src/tensor/tensor-data.ts";

const tensor = fc
  .record({
    rows: fc.integer({ min: 1, max: 6 }),
    tail: fc.integer({ min: 0, max: 4 }),
    isText: fc.boolean(),
  })
  .map(({ rows, tail, isText }): TensorData => {
    const values = Array.from({ length: rows * tail }, (_, i) => i);
    const shape = [rows, tail];
    return isText
      ? { name: "t", datatype: "BYTES", shape, data: values.map(String) }
      : { name: "t", datatype: "INT64", shape, data: BigInt64Array.from(values, BigInt) };
  });

test("rows that are taken one by one and joined are the tensor again", () => {
  fc.assert(
    fc.property(tensor, (whole) => {
      const rows = Array.from({ length: whole.shape[0]! }, (_, row) => takeRows(whole, [row]));
      expect(joinRows(rows)).toEqual(whole);
    }),
  );
});

test("rows come in the order that is asked for", () => {
  const whole: TensorData = {
    name: "t",
    datatype: "FP32",
    shape: [3, 2],
    data: Float32Array.of(0, 1, 2, 3, 4, 5),
  };
  expect(takeRows(whole, [2, 0])).toMatchObject({ shape: [2, 2], data: Float32Array.of(4, 5, 0, 1) });
});
