import fc from "fast-check";
import { expect, test } from "vitest";
import { JoinedOutputs, sliceRows } from "../../../src/batcher/joined-outputs.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";

function outputs(rowCount: number): TensorData[] {
  return [
    {
      name: "n",
      datatype: "INT64",
      shape: [rowCount, 2],
      data: BigInt64Array.from({ length: rowCount * 2 }, (_, i) => BigInt(i)),
    },
    {
      name: "s",
      datatype: "BYTES",
      shape: [rowCount],
      data: Array.from({ length: rowCount }, (_, i) => `row ${i}`),
    },
  ];
}

test("rows cut into parts and joined in any order are the same rows", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      fc.boolean(),
      (rowCount, cuts, reversed) => {
        const whole = outputs(rowCount);
        const edges = [...new Set([0, ...cuts.map((cut) => cut % rowCount), rowCount])].sort((a, b) => a - b);
        const parts = edges.slice(1).map((to, i) => ({ from: edges[i]!, to }));
        if (reversed) parts.reverse();
        const joined = new JoinedOutputs(rowCount);
        for (const { from, to } of parts) joined.add(sliceRows(whole, from, to - from, rowCount), from);
        expect(joined.outputs).toEqual(whole);
      },
    ),
  );
});

test("numeric slices are views", () => {
  const whole = outputs(4);
  const [slice] = sliceRows(whole, 1, 2, 4);
  expect(slice).toMatchObject({ shape: [2, 2], data: BigInt64Array.of(2n, 3n, 4n, 5n) });
  expect((slice!.data as BigInt64Array).buffer).toBe((whole[0]!.data as BigInt64Array).buffer);
});

test("parts whose shapes differ do not join", () => {
  const joined = new JoinedOutputs(4);
  joined.add([{ name: "n", datatype: "FP32", shape: [2, 2], data: new Float32Array(4) }], 0);
  const other: TensorData = { name: "n", datatype: "FP32", shape: [2, 3], data: new Float32Array(6) };
  expect(() => joined.add([other], 2)).toThrow(/"n" has another shape/);
});
