import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { location, predictError } from "../../../../src/edge/plain/predict-error.ts";
import { AssayError } from "../../../../src/errors.ts";
import { checkSchemaRules } from "../../../../src/service/check/schema-rules.ts";
import { createViolations } from "../../../../src/service/check/violations.ts";

test.each([
  ["features[3]", ["body", "features", 3]],
  ['rows[2].fields["age"]', ["body", "rows", 2, "age"]],
  ['rows[0].fields["a\\"]b"]', ["body", "rows", 0, 'a"]b']],
  ["inputs[0].shape", ["body", "inputs", 0, "shape"]],
  ["model_name", ["body", "model_name"]],
  ["", ["body"]],
])("field %s lies at %j", (field, loc) => {
  expect(location(field, "value.nan")).toEqual(loc);
});

test.each([
  ["signature.too_few", "too_short"],
  ["signature.too_many", "too_long"],
  ["signature.missing_column", "missing"],
  ["float_type", "float_type"],
  ["tensor.raw_length", "value_error"],
])("rule %s has Pydantic's type %s", (rule, type) => {
  const violations = [{ field: "features", description: "3 features came; 4 are taken", rule }];
  expect(predictError(new AssayError(Reason.INVALID_REQUEST, "m", { violations }))).toEqual({
    status: 422,
    body: { detail: [{ type, loc: ["body", "features"], msg: "3 features came; 4 are taken" }] },
  });
});

test("a request without rows lacks a field, as FastAPI says it, beside all else that is wrong", () => {
  const violations = createViolations();
  checkSchemaRules(PredictRequestSchema, create(PredictRequestSchema), violations);
  violations.add("model_name", "empty", "signature.model_name");
  let thrown: unknown;
  try {
    violations.throwIfAny();
  } catch (error) {
    thrown = error;
  }
  expect(predictError(thrown as AssayError).body).toEqual({
    detail: [
      { type: "missing", loc: ["body", "features"], msg: "Field required (or rows, or inputs)" },
      { type: "missing", loc: ["body", "model_name"], msg: "empty" },
    ],
  });
});

test("what is cut off is counted", () => {
  const violations = Array.from({ length: 30 }, (_, i) => ({
    field: `features[${i}]`,
    description: "d",
    rule: "float_type",
  }));
  const { body } = predictError(new AssayError(Reason.INVALID_REQUEST, "m", { violations }));
  expect(body).toMatchObject({ violation_count: 30 });
  expect((body as { detail: object[] }).detail).toHaveLength(20);
});

test("other errors are a sentence with their reason", () => {
  expect(predictError(new AssayError(Reason.QUEUE_FULL, "the queue is full"))).toEqual({
    status: 429,
    body: { detail: "the queue is full", reason: "QUEUE_FULL" },
  });
});
