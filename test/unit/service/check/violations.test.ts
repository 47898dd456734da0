import { expect, test } from "vitest";
import { AssayError } from "../../../../src/errors.ts";
import { createViolations } from "../../../../src/service/check/violations.ts";
import { sortByFieldPath } from "../../../../src/wording/field-paths.ts";

test("field paths are ordered as people count", () => {
  const paths = ["features[10]", "features[2]", 'rows[0].fields["b"]', "features", 'rows[0].fields["a"]'];
  expect(sortByFieldPath(paths.map((field) => ({ field }))).map(({ field }) => field)).toEqual([
    "features",
    "features[2]",
    "features[10]",
    'rows[0].fields["a"]',
    'rows[0].fields["b"]',
  ]);
});

test("everything is counted, a thousand are kept, and the message names the first", () => {
  const violations = createViolations();
  for (let i = 1500; i > 0; i--) violations.add(`features[${i % 1000}]`, "too large", "value.range");
  try {
    violations.throwIfAny();
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    expect(error.violationCount).toBe(1500);
    expect(error.violations).toHaveLength(1000);
    expect(error.message).toBe("features[0]: too large (and 1499 more)");
  }
});

test("an empty collection throws nothing", () => {
  expect(() => createViolations().throwIfAny()).not.toThrow();
});

test("descriptions that are not shown are never made, and those that are once", () => {
  const violations = createViolations();
  const made: number[] = [];
  for (let i = 0; i < 5000; i++) {
    violations.add(`features[${i}]`, () => `hint ${made.push(i)}`, "value.range");
  }
  try {
    violations.throwIfAny();
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    expect(made).toEqual([0]);
    expect(error.violations.slice(0, 2).map((one) => one.description)).toEqual(["hint 1", "hint 2"]);
    expect(error.violations[1]!.description).toBe("hint 2");
  }
});

test("what is kept is bounded in octets, and there is room for a thousand", () => {
  const violations = createViolations();
  const long = "x".repeat(100_000);
  for (let i = 0; i < 1000; i++) {
    expect(violations.hasRoom).toBe(true);
    violations.add(long, long, "value.range");
  }
  expect(violations.hasRoom).toBe(false);
  violations.leaveOut(7_000_000);
  try {
    violations.throwIfAny();
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    expect(error.violationCount).toBe(7_001_000);
    expect(JSON.stringify(error.violations).length).toBeLessThan(3_000_000);
    expect(error.stack).not.toContain("violations.test");
  }
});
