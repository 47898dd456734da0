import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { isPlainResponse, MeasuredResponse } from "../../../src/wire/response-writer.ts";
import { WireWriter } from "../../../src/wire/wire-writer.ts";

const text = fc.oneof(
  fc.constant(""),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 90 }),
);
const response = fc
  .record({
    modelName: text,
    modelVersion: text,
    requestId: text,
    scores: fc.array(fc.double(), { maxLength: 40 }),
    labels: fc.array(text, { maxLength: 6 }),
  })
  .map((fields) => create(PredictResponseSchema, fields));

test("a response that is written by hand has the octets of protobuf-es, wherever it is written", () => {
  fc.assert(
    fc.property(response, fc.nat(9), (one, room) => {
      const measured = new MeasuredResponse(one);
      const bytes = Buffer.alloc(room + measured.byteCount);
      measured.write(new WireWriter(bytes, room));
      expect(Buffer.compare(bytes.subarray(room), toBinary(PredictResponseSchema, one))).toBe(0);
    }),
    { numRuns: 1000 },
  );
});

test("tensors and a caller's text that is no Unicode are left to protobuf-es", () => {
  expect(isPlainResponse(create(PredictResponseSchema, { scores: [1], requestId: "ü" }))).toBe(true);
  expect(isPlainResponse(create(PredictResponseSchema, { outputs: [{}] }))).toBe(false);
  expect(isPlainResponse(create(PredictResponseSchema, { requestId: "\ud800" }))).toBe(false);
});
