import { create, toJson, toJsonString } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PredictResponseSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { CAMEL_NAMES, responseJson, SNAKE_NAMES } from "../../../../src/edge/json/response-json.ts";

const text = fc.oneof(
  fc.constant(""),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constant('"\n\u2028'),
);
const score = fc.oneof(fc.double(), fc.constantFrom(-0, 1e21, 1e-7, Number.NaN, Number.POSITIVE_INFINITY));
const response = fc
  .record({
    modelName: text,
    modelVersion: text,
    requestId: text,
    scores: fc.array(score, { maxLength: 24 }),
    labels: fc.array(text, { maxLength: 24 }),
  })
  .map((fields) => create(PredictResponseSchema, fields));

test("a response is the same JSON as protobuf-es writes, with the names of either form", () => {
  fc.assert(
    fc.property(response, (one) => {
      expect(responseJson(one, CAMEL_NAMES)).toBe(toJsonString(PredictResponseSchema, one));
      const snake = toJson(PredictResponseSchema, one, { useProtoFieldName: true });
      expect(responseJson(one, SNAKE_NAMES)).toBe(JSON.stringify(snake));
    }),
    { numRuns: 1000 },
  );
});
