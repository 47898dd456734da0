import { expect, test } from "vitest";
import type { AssayError } from "../../../../src/errors.ts";
import { createViolations } from "../../../../src/service/check/violations.ts";
import { createElementFaults } from "../../../../src/service/tensors/element-faults.ts";

const fault = { rule: "value.finite", description: "Infinity came" };

function faultsOf(rowElements: number | undefined, indices: readonly number[]): AssayError {
  const violations = createViolations();
  const faults = createElementFaults("x", rowElements, violations, () => fault);
  for (const index of indices) faults.add(index);
  try {
    violations.throwIfAny();
  } catch (error) {
    return error as AssayError;
  }
  throw new Error("no violation was added");
}

test.each([
  ["the row and the element in it", 30, 137, "x[4][17]"],
  ["the row alone, where a row has one element", 1, 137, "x[137]"],
  ["the element, where there are no rows", undefined, 137, "x[137]"],
] as const)("an element is named by %s", (_, rowElements, index, field) => {
  expect(faultsOf(rowElements, [index]).violations.map((one) => one.field)).toEqual([field]);
});

test("of many elements the later ones are named once a row, and all are counted", () => {
  const indices = Array.from({ length: 900 }, (_, i) => i);
  const { violations, violationCount } = faultsOf(30, indices);
  expect(violationCount).toBe(900);
  const rows = new Set(violations.map((one) => /^x\[(\d+)\]/.exec(one.field)![1]));
  expect(rows.size).toBe(30);
  expect(violations).toHaveLength(20 + 29);
});
