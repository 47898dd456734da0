import { expect, test } from "vitest";
import { createRowlessOutputs } from "../../../src/batcher/delivery.ts";

function outputs(shapes: Readonly<Record<string, readonly number[]>>) {
  return Object.entries(shapes).map(([name, shape]) => ({
    name,
    datatype: "FP32" as const,
    shape,
    data: new Float32Array(0),
  }));
}

test.each([
  ["rows in each", { a: [3, 2], b: [3] }, true, []],
  ["a scalar", { a: [3, 2], b: [] }, false, ["b"]],
  ["another length", { a: [4], b: [3] }, false, ["a"]],
])("%s", (_, shapes, expected, found) => {
  const told: string[] = [];
  const rowless = createRowlessOutputs([], (name) => told.push(name));
  expect(rowless.areAbsentFrom(outputs(shapes), 3)).toBe(expected);
  expect(told).toEqual(found);
});

test("an output that was found stays one, also where its length equals the number of rows by chance", () => {
  const told: string[] = [];
  const rowless = createRowlessOutputs([], (name) => told.push(name));
  rowless.areAbsentFrom(outputs({ a: [6], b: [3] }), 6);
  expect(rowless.areAbsentFrom(outputs({ a: [3], b: [3] }), 3)).toBe(false);
  expect(told).toEqual(["b"]);
});

test("only entries that want one run alone; no names want all", () => {
  const rowless = createRowlessOutputs(["b"], () => {});
  expect([["a"], ["a", "b"], []].map((names) => rowless.areAvoidedBy(names))).toEqual([true, false, false]);
  expect(createRowlessOutputs([], () => {}).areAvoidedBy([])).toBe(true);
});
