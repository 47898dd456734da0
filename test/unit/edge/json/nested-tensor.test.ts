import { expect, test } from "vitest";
import { JsonFaults } from "../../../../src/edge/json/json-faults.ts";
import type { ExactJson } from "../../../../src/edge/json/json-text.ts";
import { NestedTensor } from "../../../../src/edge/json/nested-tensor.ts";
import type { AssayError } from "../../../../src/errors.ts";
import type { TensorSpec } from "../../../../src/model/signature.ts";
import { PackedContents } from "../../../../src/tensor/packed-contents.ts";

function spec(datatype: TensorSpec["datatype"], tail: readonly number[]): TensorSpec {
  const nothing = { featureNames: [], labels: [], aliases: [] };
  return { name: "x", datatype, shape: [-1, ...tail], optional: false, rejectNan: false, ...nothing };
}

function read(datatype: TensorSpec["datatype"], tail: readonly number[], rows: readonly ExactJson[]) {
  const faults = new JsonFaults();
  const place = (row: number) => `rows[${row}]`;
  const options = { faults, tail, hasRows: true, maxValues: 100_000, place };
  const steps = new NestedTensor(spec(datatype, tail), options).read(rows);
  let step = steps.next();
  let pieces = 1;
  for (; step.done !== true; step = steps.next()) pieces++;
  const { shape, contents, rawContents } = step.value;
  const values =
    contents instanceof PackedContents ? Array.from<unknown>(contents.values as never) : rawContents;
  return { shape: shape.map(Number), values, faults, pieces };
}

function faultsOf(faults: JsonFaults): string[] {
  try {
    faults.throwIfAny();
  } catch (error) {
    return (error as AssayError).violations.map(({ field, description }) => `${field}: ${description}`);
  }
  return [];
}

test.each<[TensorSpec["datatype"], number[], ExactJson[], number[], unknown[]]>([
  [
    "FP32",
    [2],
    [
      [1, null],
      [2.5, true],
    ],
    [2, 2],
    [1, Number.NaN, 2.5, 1],
  ],
  ["FP64", [], [1, [2]], [2], [1, 2]],
  ["FP32", [1], [1, [2], [3]], [3, 1], [1, 2, 3]],
  ["FP32", [1, 1], [[[1]], 2], [2, 1, 1], [1, 2]],
  [
    "FP32",
    [2, 2],
    [
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [1, 2, 2],
    [1, 2, 3, 4],
  ],
  [
    "FP32",
    [-1],
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [2, 3],
    [1, 2, 3, 4, 5, 6],
  ],
  ["INT64", [1], [9007199254740993n, 3], [2, 1], [9007199254740993n, 3n]],
  ["UINT8", [2], [[0, 255]], [1, 2], [0, 255]],
  ["BOOL", [2], [[true, false]], [1, 2], [1, 0]],
  ["BYTES", [2], [["a", { b64: "w6k=" }]], [1, 2], ["a", "é"]],
])("%s of shape %j is read, row by row", (datatype, tail, rows, shape, values) => {
  const found = read(datatype, tail, rows);
  expect(faultsOf(found.faults)).toEqual([]);
  expect(found.shape).toEqual(shape);
  expect(found.values).toEqual(values);
});

test("half floats are raw, as they are everywhere", () => {
  expect(read("FP16", [2], [[1, 2]]).values).toEqual(new Uint8Array([0, 0x3c, 0, 0x40]));
});

test.each<[TensorSpec["datatype"], number[], ExactJson[], RegExp[]]>([
  [
    "FP32",
    [2],
    [[1, "x"], [1]],
    [/^rows\[0\]\[1\]: "x" came; a number/, /^rows\[1\]: 1 value came; a list of 2/],
  ],
  [
    "FP32",
    [2],
    [[1e39, Infinity]],
    [/^rows\[0\]\[0\]: 1e\+39 came; the largest/, /^rows\[0\]\[1\]: Infinity/],
  ],
  [
    "FP32",
    [2, 2],
    [[[1, 2], [3]], 5],
    [/^rows\[0\]\[1\]: 1 value/, /^rows\[1\]: 5 came; a list of shape \[2,2\]/],
  ],
  ["INT32", [1], [1.5, 2 ** 31], [/a whole number \(INT32\)/, /INT32 takes -2147483648 to/]],
  ["BYTES", [], [3, "a\0", { b64: "/w==" }], [/a text is expected/, /NUL/, /no base64 of UTF-8/]],
  [
    "FP32",
    [-1],
    [
      [1, 2],
      [1, 2, 3],
    ],
    [/^rows\[1\]: 3 values came; a list of 2/],
  ],
])("what is wrong in a tensor of %s is told at once, where it stands", (datatype, tail, rows, faults) => {
  const found = faultsOf(read(datatype, tail, rows).faults);
  expect(found).toHaveLength(faults.length);
  for (const [index, fault] of faults.entries()) expect(found[index]).toMatch(fault);
});

test("a long row and many rows are read in pieces", () => {
  expect(read("FP32", [50_000], [new Array<number>(50_000).fill(1)]).pieces).toBeGreaterThan(3);
  expect(read("FP32", [2], new Array<number[]>(50_000).fill([1, 2])).pieces).toBeGreaterThan(3);
});
