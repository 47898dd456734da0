import { expect, test } from "vitest";
import {
  cellPath,
  listed,
  shownName,
  shownShape,
  sortByFieldPath,
} from "../../../src/wording/field-paths.ts";

test("a cell's path has its row and its column in quotes", () => {
  expect(cellPath(2, 'a "b"')).toBe('rows[2].fields["a \\"b\\""]');
});

test.each([
  ["long", "n".repeat(16_384)],
  ["full of signs that are escaped", "\u0001".repeat(180)],
  ["cut within a pair", `${"n".repeat(198)}${"😀".repeat(20)}`],
  ["of half pairs", "\ud83d".repeat(150)],
])("a name that is %s is cut and stays a text in quotes", (_, name) => {
  const shown = shownName(name);
  expect(shown.length).toBeLessThanOrEqual(202);
  const text = JSON.parse(shown) as string;
  expect(text.endsWith("…")).toBe(true);
  expect(text.isWellFormed()).toBe(true);
});

test("shapes and lists are cut", () => {
  expect(shownShape([2, 30])).toBe("[2,30]");
  expect(shownShape(new Array<bigint>(1_000_000).fill(1n))).toHaveLength(35);
  expect(listed(Array.from({ length: 20 }, (_, i) => `c${i}`))).toMatch(/^c0, .* c11, … \(20 in all\)$/);
});

test("numbers too large for a number, and digits that differ in zeros, have an order too", () => {
  const digits = "9".repeat(400);
  const fields = [`x[${digits}]`, `x[${digits}0]`, "x[1]", "x[01]"];
  const sorted = sortByFieldPath(fields.toReversed().map((field) => ({ field })));
  expect(sorted.map(({ field }) => field)).toEqual(["x[1]", "x[01]", `x[${digits}]`, `x[${digits}0]`]);
});
