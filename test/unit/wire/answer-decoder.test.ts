import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PredictStreamResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AnswerDecoder } from "../../../src/wire/answer-decoder.ts";

/** What fromBinary makes of the same bytes, in the form of an answer. */
function expected(bytes: Uint8Array) {
  const { itemId, result } = fromBinary(PredictStreamResponseSchema, bytes);
  return { itemId: Number(itemId), ...(result.case === undefined ? {} : { [result.case]: result.value }) };
}

const response = fc.record({
  modelName: fc.string(),
  modelVersion: fc.string({ maxLength: 3 }),
  requestId: fc.string({ maxLength: 3 }),
  scores: fc.array(fc.double(), { maxLength: 20 }),
  labels: fc.array(
    fc.oneof(
      fc.constantFrom("0", "1", "<=50K", ">50K", "a1b", "a2b", "schön", ""),
      fc.string({ unit: "grapheme", minLength: 100, maxLength: 150 }),
    ),
    { maxLength: 20 },
  ),
  outputs: fc.array(
    fc.record({
      name: fc.string(),
      datatype: fc.constant("FP32"),
      rawContents: fc.uint8Array({ maxLength: 20 }),
    }),
    { maxLength: 3 },
  ),
});
const status = fc.record({ code: fc.integer({ min: 0, max: 16 }), message: fc.string() });

test("an answer is decoded as fromBinary does, one after the other by the same decoder", () => {
  const decoder = new AnswerDecoder();
  const result = fc.oneof(
    response.map((value) => ({ case: "response" as const, value })),
    status.map((value) => ({ case: "status" as const, value })),
    fc.constant({ case: undefined }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), result, (itemId, one) => {
      const bytes = toBinary(
        PredictStreamResponseSchema,
        create(PredictStreamResponseSchema, { itemId: BigInt(itemId), result: one }),
      );
      expect(decoder.decode(bytes)).toEqual(expected(bytes));
    }),
    { numRuns: 300 },
  );
});

test("what another writer may send is decoded too: scores not packed or in parts, unknown fields, fields mixed", () => {
  const inner = new BinaryWriter();
  inner.tag(5, WireType.LengthDelimited).string("a");
  inner.tag(4, WireType.Bit64).double(0.5);
  inner.tag(99, WireType.Varint).uint32(7);
  inner.tag(5, WireType.LengthDelimited).string("b");
  inner.tag(4, WireType.LengthDelimited).fork().double(0.25).double(1).join();
  inner.tag(4, WireType.LengthDelimited).fork().double(2).join();
  const outer = new BinaryWriter();
  outer.tag(2, WireType.LengthDelimited).bytes(inner.finish());
  outer.tag(50, WireType.LengthDelimited).string("new");
  outer.tag(1, WireType.Varint).uint64(3n);
  const answer = new AnswerDecoder().decode(outer.finish());
  expect(answer).toMatchObject({ itemId: 3, response: { scores: [0.5, 0.25, 1, 2], labels: ["a", "b"] } });
});

test("bytes that end too early or are no packed doubles are refused", () => {
  const message = create(PredictStreamResponseSchema, {
    itemId: 1n,
    result: { case: "response", value: { scores: [1, 2], labels: ["a", "b"] } },
  });
  const bytes = toBinary(PredictStreamResponseSchema, message);
  const decoder = new AnswerDecoder();
  // Cuts after the item's number and before the result would be whole messages.
  for (let length = 3; length < bytes.length; length++) {
    expect(() => decoder.decode(bytes.subarray(0, length)), `cut to ${length}`).toThrow();
  }
  expect(() => decoder.decode(Buffer.of(0x12, 5, 0x22, 3, 1, 2, 3))).toThrow(/multiple of 8/);
});
