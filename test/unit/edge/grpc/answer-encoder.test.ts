import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import {
  PredictResponseSchema,
  PredictStreamResponseSchema,
} from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { TensorSchema } from "../../../../gen/assay/v1/tensor_pb.ts";
import { itemResponse } from "../../../../src/edge/connect/item-response.ts";
import { encodeItem } from "../../../../src/edge/grpc/answer-encoder.ts";
import { AssayError } from "../../../../src/errors.ts";
import type { ItemResult } from "../../../../src/service/scoring.ts";
import { framed } from "../../../../src/wire/grpc-frame.ts";

const text = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.constant("x".repeat(20_000)),
);
const itemId = fc.oneof(
  fc.nat(300).map(BigInt),
  fc.constantFrom(2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const output = fc
  .record({ name: text, rawContents: fc.uint8Array() })
  .map((fields) => create(TensorSchema, fields));
const response = fc
  .record({
    modelName: text,
    modelVersion: text,
    requestId: fc.oneof(fc.constant(""), text),
    scores: fc.oneof(fc.array(fc.double(), { maxLength: 300 }), fc.constant(Array<number>(3000).fill(0.5))),
    labels: fc.array(text, { maxLength: 4 }),
    // Most answers have none.
    outputs: fc.array(output, { maxLength: 2, size: "xsmall" }),
  })
  .map((fields) => create(PredictResponseSchema, fields));

function byProtobuf(result: ItemResult): Uint8Array {
  return framed(0, toBinary(PredictStreamResponseSchema, itemResponse(result)));
}

test("an answer is what protobuf-es writes, byte for byte", () => {
  fc.assert(
    fc.property(itemId, response, (id, one) => {
      const result = { itemId: id, response: one };
      expect(Buffer.compare(encodeItem(result), byProtobuf(result))).toBe(0);
    }),
    { numRuns: 1000 },
  );
});

test("a bad item's status is what protobuf-es writes", () => {
  const error = new AssayError(Reason.INVALID_REQUEST, "rows[2]: é", {
    violations: [{ field: "rows[2]", description: "é", rule: "a.b" }],
  });
  const result = { itemId: 3n, error };
  expect(Buffer.compare(encodeItem(result), byProtobuf(result))).toBe(0);
});
