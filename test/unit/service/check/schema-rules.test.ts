import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import type { AssayError } from "../../../../src/errors.ts";
import { checkSchemaRules } from "../../../../src/service/check/schema-rules.ts";
import { createViolations } from "../../../../src/service/check/violations.ts";

function messageOf(request: MessageInitShape<typeof PredictRequestSchema>): string {
  const violations = createViolations();
  checkSchemaRules(PredictRequestSchema, create(PredictRequestSchema, request), violations);
  try {
    violations.throwIfAny();
  } catch (error) {
    return (error as AssayError).message;
  }
  return "";
}

test("a request has exactly one of three forms, and is told whether none came or several", () => {
  expect(messageOf({ features: [1] })).toBe("");
  expect(messageOf({ rows: [{ a: 1 }] })).toBe("");
  expect(messageOf({})).toBe("none came; exactly one of features, inputs and rows must be set");
  expect(messageOf({ features: [1], rows: [{ a: 1 }] })).toBe(
    "several came; exactly one of features, inputs and rows must be set",
  );
});
