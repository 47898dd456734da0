import { expect, test } from "vitest";
import { TensorNumbers, TensorNumbersReader } from "../../../../src/edge/inference-rest/tensor-numbers.ts";
import { JsonText } from "../../../../src/edge/json/json-text.ts";

const LIMITS = {
  maxMessageBytes: 2 ** 24,
  maxHeapBytes: 2 ** 28,
  lists: (text: string) => new TensorNumbersReader(text, "data"),
};

function read(text: string): unknown {
  const reading = new JsonText(text, LIMITS);
  while (!reading.run());
  return (reading.value as { data: unknown }).data;
}

const random = Array.from({ length: 5000 }, (_, i) =>
  i % 7 === 0 ? i : Math.sin(i) * 10 ** ((i % 20) - 10),
);
const rows = Array.from({ length: 1250 }, (_, row) => random.slice(4 * row, 4 * row + 4));
const blocks = Array.from({ length: 625 }, (_, block) => rows.slice(2 * block, 2 * block + 2));

test.each([
  ["flat", random, [5000]],
  ["of rows", rows, [1250, 4]],
  ["of blocks of rows", blocks, [625, 2, 4]],
])("a long list %s is one array with every digit", (_, data, lengths) => {
  for (const space of ["", " "]) {
    const text = JSON.stringify({ name: "x", data, shape: [1] }).replaceAll(",", `,${space}`);
    expect(text.length).toBeGreaterThan(2 * 32_768);
    const list = read(text);
    expect(list).toBeInstanceOf(TensorNumbers);
    const { values, count, lengths: nested, nullAt } = list as TensorNumbers;
    expect([...values.subarray(0, count)]).toEqual(random);
    expect(nested).toEqual(lengths);
    expect(nullAt).toBe(-1);
  }
});

test("null is NaN, and the first one is told", () => {
  const data = [...random.slice(0, 100), null, 1, null];
  const list = read(JSON.stringify({ data })) as TensorNumbers;
  expect(list.nullAt).toBe(100);
  expect(list.values.subarray(100, list.count)).toEqual(Float64Array.of(Number.NaN, 1, Number.NaN));
});

test.each([
  ["a text", (list: unknown[]) => list.push("a")],
  ["a list beside numbers", (list: unknown[]) => list.push([1])],
  ["a flag", (list: unknown[]) => list.splice(3000, 0, true)],
])("a list with %s is read as any", (_, damage) => {
  const data: unknown[] = [...random];
  damage(data);
  expect(read(JSON.stringify({ data }))).toEqual(data);
});

test("rows of unlike lengths are read as any", () => {
  const data = [...rows, [1, 2, 3]];
  expect(read(JSON.stringify({ data }))).toEqual(data);
});

test("whole numbers beyond 2^53 keep their digits", () => {
  const text = `{"data":[${"9007199254740993,".repeat(100)}-9223372036854775808]}`;
  expect(read(text)).toEqual([...new Array<bigint>(100).fill(9007199254740993n), -(2n ** 63n)]);
});

test.each([
  ["a stray word", `{"data":[${"1.5,".repeat(9000)}x]}`, /character 36009: "x" stands where a value/],
  ["a comma too many", `{"data":[${"1.5,".repeat(9000)}]}`, /character 36009: a comma stands before it/],
  ["no end", `{"data":[${"1.5,".repeat(9000)}`, /the text ends/],
  ["a bracket too few", `{"data":[[${"1.5,".repeat(9000)}1]}`, /character 36012/],
])("%s in a long list is told with its place", (_, text, message) => {
  expect(() => read(text)).toThrow(message);
});

test("numbers are read piece by piece", () => {
  const reading = new JsonText(JSON.stringify({ data: random }), LIMITS);
  let steps = 1;
  while (!reading.run()) steps++;
  expect(steps).toBeGreaterThan(2);
});
