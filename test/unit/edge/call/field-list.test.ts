import { expect, test } from "vitest";
import { fieldList, headerListBytes } from "../../../../src/edge/call/field-list.ts";

const fields = fieldList([":path", "/", "X-A", "1", "x-b", "2", "X-a", "3"]);

test("names are lower-case, repeated values kept in order, pseudo-headers left out", () => {
  expect([...fields.entries()]).toEqual([
    ["x-a", "1"],
    ["x-b", "2"],
    ["x-a", "3"],
  ]);
  expect(fields.get("x-a")).toBe("1");
  expect(fields.getAll("x-a")).toEqual(["1", "3"]);
  expect(fields.get("x-c")).toBeUndefined();
});

test("a header list counts names, values and 32 a field", () => {
  expect(headerListBytes(fields)).toBe(3 * (3 + 1 + 32));
});
