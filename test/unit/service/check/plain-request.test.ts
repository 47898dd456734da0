import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { isPlainRequest } from "../../../../src/service/check/predict-check.ts";
import { checkSchemaRules } from "../../../../src/service/check/schema-rules.ts";
import { createViolations } from "../../../../src/service/check/violations.ts";

const text = (limit: number) =>
  fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.constantFrom("é".repeat(limit), "a".repeat(limit + 1), "👍".repeat(limit), ""),
  );
const tensor = fc.record({
  name: text(256),
  datatype: fc.constantFrom("FP32", "BYTES", "fp32", "", "toString", "INT64"),
  shape: fc.oneof(
    fc.array(fc.bigInt({ min: -2n, max: 9n }), { maxLength: 3 }),
    fc.constant(Array(17).fill(1n)),
  ),
  rawContents: fc.uint8Array({ maxLength: 4 }),
});
const few = <T>(one: fc.Arbitrary<T>) => fc.oneof(fc.constant([] as T[]), fc.array(one, { maxLength: 2 }));
const long = (length: number) => fc.constantFrom([], [1], Array<number>(length).fill(0));

const request = fc
  .record({
    modelName: text(256),
    modelVersion: text(20),
    requestId: text(256),
    features: long(10_001),
    inputs: few(tensor),
    rows: few(fc.constant({ a: 1 })),
    outputNames: few(text(256)),
  })
  .map((fields) => create(PredictRequestSchema, fields));

test("what is called plain breaks no rule of the schema", () => {
  let plain = 0;
  fc.assert(
    fc.property(request, (one) => {
      if (!isPlainRequest(one)) return;
      plain++;
      const violations = createViolations();
      checkSchemaRules(PredictRequestSchema, one, violations);
      expect(violations.count).toBe(0);
    }),
    { numRuns: 3000 },
  );
  expect(plain).toBeGreaterThan(20);
});

test.each([
  ["features", { features: [1, 2] }],
  ["rows", { rows: [{ a: 1 }] }],
  [
    "a raw tensor",
    { inputs: [{ name: "x", datatype: "FP32", shape: [1n], rawContents: new Uint8Array(4) }] },
  ],
])("an ordinary request of %s is plain, so that the validator is not asked", (_, form) => {
  const names = { modelName: "census", modelVersion: "3", requestId: "a", outputNames: ["*"] };
  expect(isPlainRequest(create(PredictRequestSchema, { ...names, ...form }))).toBe(true);
});
