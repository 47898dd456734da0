import { expect, test } from "vitest";
import {
  PredictRequestSchema,
  PredictStreamRequestSchema,
} from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { CONNECT_JSON, MessageSchemas, PREDICT_JSON } from "../../../../src/edge/openapi/message-schemas.ts";
import { describedProcedures } from "../../../../src/edge/openapi/procedure-operations.ts";
import type { Schema } from "../../../../src/edge/openapi/schema-parts.ts";

function schemasOf(isRequest: boolean, spelling = CONNECT_JSON): Record<string, Schema> {
  const schemas: Schema = {};
  new MessageSchemas(schemas, spelling).message(PredictRequestSchema, isRequest);
  return schemas as Record<string, Schema>;
}

test("rules of protovalidate are constraints, comments are descriptions", () => {
  const request = schemasOf(true)["assay.v1.PredictRequest"]!;
  expect(request).toMatchObject({
    type: "object",
    additionalProperties: false,
    description: expect.stringContaining("Rows to score with one model"),
    properties: {
      modelName: { type: "string", maxLength: 256, description: expect.stringContaining("default model") },
      features: { type: "array", maxItems: 10_000, items: { $ref: "#/components/schemas/Float" } },
      rows: { type: "array", maxItems: 65_536, items: { type: "object" } },
      outputNames: { maxItems: 1024, items: { type: "string", minLength: 1, maxLength: 256 } },
    },
    oneOf: [{ required: ["features"] }, { required: ["inputs"] }, { required: ["rows"] }],
  });
  const tensor = schemasOf(true)["assay.v1.Tensor"]!;
  expect(tensor).toMatchObject({
    properties: {
      datatype: { enum: expect.arrayContaining(["FP32", "BYTES"]) },
      shape: { maxItems: 16, items: { type: ["integer", "string"], minimum: 0 } },
      rawContents: { contentEncoding: "base64" },
    },
  });
});

test("a required field of a request is required; an answer may have more than is told", () => {
  const schemas: Schema = {};
  new MessageSchemas(schemas, CONNECT_JSON).message(PredictStreamRequestSchema, true);
  expect(schemas["assay.v1.PredictStreamRequest"]).toMatchObject({ required: ["request"] });
  const answer = schemasOf(false)["assay.v1.PredictRequest"]!;
  expect(answer).not.toHaveProperty("additionalProperties");
  expect(answer).not.toHaveProperty("oneOf");
});

test("/predict has the names of the schema", () => {
  const request = schemasOf(true, PREDICT_JSON)["predict.assay.v1.PredictRequest"]!;
  expect(request.properties).toHaveProperty("model_name");
});

test("every message of every procedure that is described has a schema, whatever its rules", () => {
  const schemas: Schema = {};
  const messages = new MessageSchemas(schemas, CONNECT_JSON);
  const procedures = describedProcedures(true);
  expect(procedures.length).toBeGreaterThan(10);
  for (const { input, output } of procedures) {
    messages.message(input, true);
    messages.message(output, false);
  }
  const names = new Set(Object.keys(schemas));
  const references = [...JSON.stringify(schemas).matchAll(/"#\/components\/schemas\/([^"]+)"/g)];
  expect(references.filter(([, name]) => !names.has(name!))).toEqual([]);
});
