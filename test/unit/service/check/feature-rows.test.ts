import { expect, test } from "vitest";
import { AssayError } from "../../../../src/errors.ts";
import { checkFeatures } from "../../../../src/service/check/feature-rows.ts";
import { createViolations, type Violations } from "../../../../src/service/check/violations.ts";
import { signature, spec } from "../../../support/models/signatures.ts";

const vector = signature([spec("x", "FP32", [-1, 3])]);

function faults(check: (violations: Violations) => void): [string, string][] {
  const violations = createViolations();
  check(violations);
  try {
    violations.throwIfAny();
  } catch (error) {
    if (error instanceof AssayError) return error.violations.map(({ field, rule }) => [field, rule]);
  }
  return [];
}

test("a row of the right length passes as one row", () => {
  const violations = createViolations();
  const rows = checkFeatures([1, 2, Number.NaN], vector, violations);
  expect(violations.count).toBe(0);
  expect(rows).toMatchObject({ rowCount: 1, inputs: [{ name: "x", datatype: "FP32", tailShape: [3] }] });
});

test("a wrong count and every infinite value are told at once", () => {
  const found = faults((violations) =>
    checkFeatures([1, Number.POSITIVE_INFINITY, 3, -Infinity], vector, violations),
  );
  expect(found).toEqual([
    ["features", "signature.too_many"],
    ["features[1]", "value.finite"],
    ["features[3]", "value.finite"],
  ]);
});

test("NaN is a violation where the configuration refuses it", () => {
  const strict = signature([spec("x", "FP32", [-1, 2], { rejectNan: true })]);
  expect(faults((violations) => checkFeatures([1, Number.NaN], strict, violations))).toEqual([
    ["features[1]", "value.nan"],
  ]);
});

test("a model with several inputs refuses features and says what it takes", () => {
  const columns = signature([spec("age", "INT64", [-1, 1]), spec("job", "BYTES", [-1, 1])]);
  const violations = createViolations();
  expect(checkFeatures([1], columns, violations)).toBeUndefined();
  expect(() => violations.throwIfAny()).toThrow(/age INT64\[-1,1\], job BYTES\[-1,1\]: send rows or inputs/);
});

test("a vector of free length takes any count", () => {
  const free = signature([spec("x", "FP32", [-1, -1])]);
  const rows = checkFeatures([1, 2, 3, 4, 5], free, createViolations());
  expect(rows?.inputs[0]?.tailShape).toEqual([5]);
});

test("an image of fixed axes takes its values flat", () => {
  const image = signature([spec("x", "FP32", [-1, 1, 2, 2])]);
  expect(checkFeatures([1, 2, 3, 4], image, createViolations())?.inputs[0]?.tailShape).toEqual([1, 2, 2]);
});

test("features are floats for a model of doubles as well, whatever the protocol brought", () => {
  const doubles = signature([spec("x", "FP64", [-1, 2])]);
  expect(checkFeatures([0.1, 1], doubles, createViolations())?.inputs[0]?.values).toEqual({
    kind: "numbers",
    values: [Math.fround(0.1), 1],
  });
  expect(faults((violations) => checkFeatures([1e39, 1], doubles, violations))).toEqual([
    ["features[0]", "value.range"],
  ]);
});
