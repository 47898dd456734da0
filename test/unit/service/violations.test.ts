import { expect, test } from "vitest";
import { AssayError } from "../../../src/errors.ts";
import { compareFieldPaths, createViolations } from "../../../src/service/violations.ts";

test("field paths are ordered as people count", () => {
  const paths = ["features[10]", "features[2]", 'rows[0].fields["b"]', "features", 'rows[0].fields["a"]'];
  expect(paths.toSorted(compareFieldPaths)).toEqual([
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
