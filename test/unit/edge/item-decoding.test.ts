import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PredictStreamRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { decodeItem } from "../../../src/edge/item-decoding.ts";

const text = fc.oneof(fc.string({ maxLength: 8 }), fc.string({ unit: "binary", maxLength: 90 }));
const tensor = fc.record(
  {
    name: text,
    datatype: fc.constantFrom("FP32", "BYTES", ""),
    shape: fc.array(fc.oneof(fc.bigInt({ min: 0n, max: 5000n }), fc.bigInt({ min: -3n, max: 2n ** 62n })), {
      maxLength: 3,
    }),
    rawContents: fc.uint8Array({ maxLength: 300 }),
    contents: fc.record({ fp32Contents: fc.array(fc.float(), { maxLength: 3 }) }),
  },
  { requiredKeys: [] },
);
const request = fc.record(
  {
    modelName: text,
    modelVersion: text,
    requestId: text,
    features: fc.array(fc.float(), { maxLength: 3 }),
    inputs: fc.array(tensor, { maxLength: 3 }),
    outputNames: fc.array(text, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const item = fc
  .record(
    {
      itemId: fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      request,
      options: fc.record({ unordered: fc.boolean() }),
    },
    { requiredKeys: [] },
  )
  .map((fields) =>
    create(PredictStreamRequestSchema, fields as MessageInitShape<typeof PredictStreamRequestSchema>),
  );

function outcome(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    return String(error);
  }
}

function expectAlike(bytes: Uint8Array): void {
  expect(outcome(() => decodeItem(bytes))).toStrictEqual(
    outcome(() => fromBinary(PredictStreamRequestSchema, bytes)),
  );
}

test("an item is what protobuf-es reads", () => {
  fc.assert(
    fc.property(item, (one) => expectAlike(toBinary(PredictStreamRequestSchema, one))),
    { numRuns: 1500 },
  );
});

test("damaged bytes are read, or refused with the same words", () => {
  const damage = fc.record({
    at: fc.nat(),
    octet: fc.nat(255),
    cut: fc.nat(4),
    more: fc.uint8Array({ maxLength: 4 }),
  });
  fc.assert(
    fc.property(item, damage, (one, { at, octet, cut, more }) => {
      const bytes = Buffer.from(toBinary(PredictStreamRequestSchema, one));
      if (bytes.length > 0) bytes[at % bytes.length] = octet;
      expectAlike(Buffer.concat([bytes.subarray(0, Math.max(0, bytes.length - cut)), more]));
    }),
    { numRuns: 3000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 30 }), expectAlike), { numRuns: 3000 });
});

test("raw contents are a view of the message", () => {
  const inputs = [{ name: "x", datatype: "FP32", shape: [2n, 1n], rawContents: new Uint8Array(8) }];
  const bytes = toBinary(
    PredictStreamRequestSchema,
    create(PredictStreamRequestSchema, { request: { inputs } }),
  );
  expect(decodeItem(bytes).request!.inputs[0]!.rawContents.buffer).toBe(bytes.buffer);
});
