import type { JsonObject } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { AssayError } from "../../../../src/errors.ts";
import { mapRowColumns } from "../../../../src/model/row-columns.ts";
import type { ModelSignature } from "../../../../src/model/signature.ts";
import { checkManyRows, checkRows } from "../../../../src/service/check/struct-rows.ts";
import { createViolations } from "../../../../src/service/check/violations.ts";
import { signature, spec } from "../../../support/models/signatures.ts";

const census = signature([
  spec("age", "INT64", [-1, 1]),
  spec("job", "BYTES", [-1, 1]),
  spec("hours_per_week", "FP32", [-1, 1], { aliases: ["hours-per-week"] }),
  spec("member", "BOOL", [-1, 1]),
]);

function check(rows: JsonObject[], model: ModelSignature = census) {
  const mapped = mapRowColumns(model);
  if (mapped.kind === "unmapped") throw new Error(mapped.reason);
  const violations = createViolations();
  const checked = checkRows(rows, mapped.mapping, model, violations);
  // Piece by piece it is the same.
  const others = createViolations();
  expect(inPieces(checkManyRows(rows, mapped.mapping, model, others)).value).toEqual(checked);
  expect(others.count).toBe(violations.count);
  let faults: [string, string][] = [];
  let text = "";
  try {
    violations.throwIfAny();
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    faults = error.violations.map(({ field, rule }) => [field, rule]);
    text = error.violations.map((violation) => violation.description).join("\n");
  }
  return { checked, faults, text };
}

function inPieces<T>(steps: Generator<void, T>): { value: T; pieces: number } {
  for (let pieces = 1; ; pieces++) {
    const step = steps.next();
    if (step.done) return { value: step.value, pieces };
  }
}

test.each<[string, JsonObject[]]>([
  ["right", Array.from({ length: 20_000 }, (_, age) => ({ age, job: "a", hours_per_week: 1, member: true }))],
  ["wrong", Array.from({ length: 20_000 }, (_, age) => ({ age: `${age}`, [`n${age}`]: 1 }))],
  ["empty", Array.from({ length: 20_000 }, () => ({}))],
  [
    "wide",
    Array.from({ length: 10 }, () =>
      Object.fromEntries(Array.from({ length: 16_000 }, (_, i) => [`n${i}`, 1])),
    ),
  ],
])("many %s rows are checked in pieces", (_what, rows) => {
  const mapped = mapRowColumns(census);
  if (mapped.kind === "unmapped") throw new Error(mapped.reason);
  const cells = rows.reduce((sum, row) => sum + Object.keys(row).length + 1, 0);
  const violations = createViolations();
  const { pieces } = inPieces(checkManyRows(rows, mapped.mapping, census, violations));
  expect(pieces).toBeGreaterThan(cells / 25_000);
});

const good = { age: 39, job: "clerk", hours_per_week: 40, member: true };

test("columns become one tensor an input, in the order of the rows", () => {
  const { checked, faults } = check([good, { ...good, age: 50, job: "", hours_per_week: null }]);
  expect(faults).toEqual([]);
  expect(checked?.inputs.map((input) => [input.name, input.tailShape])).toEqual([
    ["age", [1]],
    ["job", [1]],
    ["hours_per_week", [1]],
    ["member", [1]],
  ]);
  expect(checked?.inputs[0]?.values).toEqual({ kind: "numbers", values: [39, 50] });
  expect(checked?.inputs[2]?.values).toEqual({ kind: "numbers", values: [40, Number.NaN] });
});

test("a column is accepted as the table spelled it, but not twice", () => {
  const { hours_per_week: _, ...rest } = good;
  expect(check([{ ...rest, "hours-per-week": 40 }]).faults).toEqual([]);
  expect(check([{ ...good, "hours-per-week": 40 }]).faults).toEqual([
    ['rows[0].fields["hours-per-week"]', "signature.duplicate_column"],
  ]);
});

test("unknown, missing and mistyped columns are told at once, with the nearest name", () => {
  const { faults, text } = check([good, { agee: 39, job: 7, hours_per_week: "40", member: true }]);
  expect(faults).toEqual([
    ['rows[1].fields["age"]', "signature.missing_column"],
    ['rows[1].fields["agee"]', "signature.unknown_column"],
    ['rows[1].fields["hours_per_week"]', "signature.type"],
    ['rows[1].fields["job"]', "signature.type"],
  ]);
  expect(text).toContain('did you mean "age"?');
});

test("null, fractions and numbers beyond 2^53 are refused for integers", () => {
  const rows = [null, 1.5, 2 ** 53, 2 ** 53 - 1].map((age) => ({ ...good, age }));
  expect(check(rows).faults).toEqual([
    ['rows[0].fields["age"]', "signature.type"],
    ['rows[1].fields["age"]', "value.integer"],
    ['rows[2].fields["age"]', "value.integer"],
  ]);
});

test("a string with a NUL character is refused by row", () => {
  expect(check([good, { ...good, job: "a\u0000b" }]).faults).toEqual([
    ['rows[1].fields["job"]', "value.nul"],
  ]);
});

test("unknown columns pass where the configuration ignores them", () => {
  expect(check([{ ...good, id: 7 }], { ...census, ignoreUnknownColumns: true }).faults).toEqual([]);
});

test("feature names make columns of a vector input", () => {
  const housing = signature([spec("x", "FP32", [-1, 2], { featureNames: ["rooms", "income"] })]);
  const { checked } = check(
    [
      { income: 2, rooms: 1 },
      { rooms: 3, income: null },
    ],
    housing,
  );
  expect(checked?.inputs).toEqual([
    {
      name: "x",
      datatype: "FP32",
      tailShape: [2],
      values: { kind: "numbers", values: [1, 2, 3, Number.NaN] },
    },
  ]);
});

test("names that are not identifiers are plain columns", () => {
  const odd = signature([
    spec("__proto__", "FP32", [-1, 1]),
    spec("constructor", "FP32", [-1, 1]),
    spec("größe in m", "FP32", [-1, 1]),
  ]);
  const row = JSON.parse('{"__proto__": 1, "constructor": 2, "größe in m": 3}') as JsonObject;
  const { checked, faults } = check([row], odd);
  expect(faults).toEqual([]);
  expect(checked?.inputs.map((input) => input.values)).toEqual(
    [1, 2, 3].map((value) => ({ kind: "numbers", values: [value] })),
  );
});

test("a vector without feature names takes no rows, and says why", () => {
  const mapped = mapRowColumns(signature([spec("x", "FP32", [-1, 4])]));
  expect(mapped).toMatchObject({ kind: "unmapped", reason: expect.stringContaining("feature_names") });
});

test("null is offered for a missing column only where it means a missing value", () => {
  const { text } = check([{ job: "clerk", member: true }]);
  expect(text).toBe(
    'column "age" (INT64) is missing\ncolumn "hours_per_week" (FP32) is missing; send null for a missing value',
  );
});

test("rows of other columns in another order are told apart, cell by cell", () => {
  const { hours_per_week, ...others } = good;
  const { checked, faults } = check([
    good,
    { member: false, job: "b", "hours-per-week": 1, age: 2 },
    { ...others, hours_per_week },
  ]);
  expect(faults).toEqual([]);
  expect(checked?.inputs.map((input) => (input.values as { values: unknown }).values)).toEqual([
    [39, 2, 39],
    ["clerk", "b", "clerk"],
    [40, 1, 40],
    [true, false, true],
  ]);
  expect(check([good, others, good]).faults).toEqual([
    ['rows[1].fields["hours_per_week"]', "signature.missing_column"],
  ]);
});

test("of an optional input of several columns all come or none", () => {
  const model = signature([
    spec("x", "FP32", [-1, 1]),
    spec("pair", "FP32", [-1, 2], { optional: true, featureNames: ["a", "b"] }),
  ]);
  expect(check([{ x: 1 }], model).faults).toEqual([]);
  expect(check([{ x: 1, a: 2, b: 3 }], model).faults).toEqual([]);
  expect(check([{ x: 1, a: 2 }], model).faults).toEqual([["rows", "signature.optional_column"]]);
});

test("rows × columns that are missing are all counted, in the time of what came", () => {
  const wide = signature(Array.from({ length: 2000 }, (_, i) => spec(`c${i}`, "FP32", [-1, 1])));
  const mapped = mapRowColumns(wide);
  if (mapped.kind === "unmapped") throw new Error(mapped.reason);
  const violations = createViolations();
  const rows = Array.from({ length: 60_000 }, () => ({}));
  expect(checkRows(rows, mapped.mapping, wide, violations)).toBeUndefined();
  expect(violations.count).toBe(60_000 * 2000);
});

test("a name of 16 KB is cut where it is told", () => {
  const { faults, text } = check([{ ...good, ["n".repeat(16_384)]: 1 }]);
  expect(faults[0]![0].length).toBeLessThan(256);
  expect(faults[0]![0]).toMatch(/^rows\[0\]\.fields\["n+…"\]$/);
  expect(text.length).toBeLessThan(300);
});
