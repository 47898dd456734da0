import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  PredictRequestSchema,
  PredictRowsRequestSchema,
} from "../../../../gen/assay/v1/scoring_service_pb.ts";
import type { AssayError } from "../../../../src/errors.ts";
import { MOST_ITEMS, rowsOutline, rulesOutline } from "../../../../src/service/check/rule-outline.ts";
import { checkSchemaRules } from "../../../../src/service/check/schema-rules.ts";
import { createViolations } from "../../../../src/service/check/violations.ts";

type Request = MessageInitShape<typeof PredictRequestSchema>;

function broken(check: (violations: ReturnType<typeof createViolations>) => void): string[] {
  const violations = createViolations();
  check(violations);
  try {
    violations.throwIfAny();
  } catch (error) {
    return (error as AssayError).violations.map(({ field, rule }) => `${field} ${rule}`);
  }
  return [];
}

const brokenBy = (request: ReturnType<typeof create<typeof PredictRequestSchema>>) =>
  broken((violations) => checkSchemaRules(PredictRequestSchema, request, violations));

test("of lists that are not too long the outline breaks the same rules as the request", () => {
  const text = fc.constantFrom("", "a", "é".repeat(256), "b".repeat(257), "c".repeat(2000));
  const tensor = fc.record({
    name: text,
    datatype: fc.constantFrom("FP32", "", "float", "x".repeat(5000)),
    shape: fc.array(fc.bigInt({ min: -2n, max: 2n }), { maxLength: 20 }),
    rawContents: fc.uint8Array({ maxLength: 4 }),
  });
  const few = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 3 });
  const requests = fc.record({
    modelName: text,
    modelVersion: text,
    requestId: text,
    features: few(fc.double()),
    inputs: few(tensor),
    rows: few(fc.constant({ a: 1 })),
    outputNames: few(text),
  });
  fc.assert(
    fc.property(requests, (fields) => {
      const request = create(PredictRequestSchema, fields);
      // Axes behind the most that a shape may have are not judged.
      const allowed = brokenBy(request).filter((one) => Number(/shape\[(\d+)\]/.exec(one)?.[1] ?? 0) < 16);
      expect(brokenBy(rulesOutline(request))).toEqual(allowed);
    }),
    { numRuns: 300 },
  );
});

const tensor = { name: "x", datatype: "FP32" };
const lists: [string, number, (count: number) => Request][] = [
  ["features", MOST_ITEMS.features, (count) => ({ features: Array<number>(count).fill(1) })],
  ["inputs", MOST_ITEMS.inputs, (count) => ({ inputs: Array(count).fill(tensor) })],
  ["rows", MOST_ITEMS.rows, (count) => ({ rows: Array(count).fill({}) })],
  [
    "output_names",
    MOST_ITEMS.outputNames,
    (count) => ({ features: [1], outputNames: Array<string>(count).fill("y") }),
  ],
  [
    "inputs[0].shape",
    MOST_ITEMS.shape,
    (count) => ({ inputs: [{ ...tensor, shape: Array<bigint>(count).fill(1n) }] }),
  ],
];

test.each(lists)(
  "the outline has as many %s as the schema allows, and one too many where more came",
  (field, most, make) => {
    const outline = (count: number) => rulesOutline(create(PredictRequestSchema, make(count)));
    expect(brokenBy(outline(most))).toEqual([]);
    expect(brokenBy(outline(most + 1))).toEqual([`${field} repeated.max_items`]);
    expect(brokenBy(outline(most + 1000))).toEqual([`${field} repeated.max_items`]);
  },
);

test.each([
  [0, ["items repeated.min_items"]],
  [1, []],
  [MOST_ITEMS.items, []],
  [MOST_ITEMS.items + 1, ["items repeated.max_items"]],
])("%i items of PredictRows break %j", (count, rules) => {
  const request = create(PredictRowsRequestSchema, { items: Array(count).fill({}) });
  const outline = rowsOutline(request);
  expect(broken((violations) => checkSchemaRules(PredictRowsRequestSchema, outline, violations))).toEqual(
    rules,
  );
});

test("millions of empty names and axes are outlined in the time of those that are allowed", () => {
  const outputNames = new Array<string>(4_000_000).fill("");
  const shape = new Array<bigint>(4_000_000).fill(-1n);
  const request = { ...create(PredictRequestSchema), outputNames };
  request.inputs = [{ $typeName: "assay.v1.Tensor", ...tensor, shape, rawContents: new Uint8Array(0) }];
  const violations = createViolations();
  checkSchemaRules(PredictRequestSchema, rulesOutline(request), violations);
  // Names and axes that are allowed, and two lists that are too long.
  expect(violations.count).toBe(1024 + 16 + 2);
});
