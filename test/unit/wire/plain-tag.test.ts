import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  PredictRequestSchema,
  PredictResponseSchema,
  PredictStreamRequestSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { plainTag } from "../../../src/wire/plain-tag.ts";

test("a tag is the octet that protobuf-es writes before the field", () => {
  const request = (fields: object) => toBinary(PredictRequestSchema, create(PredictRequestSchema, fields))[0];
  expect(plainTag(PredictRequestSchema, "modelName")).toBe(request({ modelName: "a" }));
  expect(plainTag(PredictRequestSchema, "features")).toBe(request({ features: [1] }));
  expect(plainTag(PredictRequestSchema, "inputs")).toBe(request({ inputs: [{}] }));
  const item = toBinary(PredictStreamRequestSchema, create(PredictStreamRequestSchema, { itemId: 1n }));
  expect(plainTag(PredictStreamRequestSchema, "itemId")).toBe(item[0]);
  const tensor = toBinary(TensorSchema, create(TensorSchema, { shape: [1n] }));
  expect(plainTag(TensorSchema, "shape")).toBe(tensor[0]);
  const response = toBinary(PredictResponseSchema, create(PredictResponseSchema, { scores: [1] }));
  expect(plainTag(PredictResponseSchema, "scores")).toBe(response[0]);
});
