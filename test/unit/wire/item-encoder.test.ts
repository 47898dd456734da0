import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  PredictRequestSchema,
  PredictStreamRequestSchema,
  type StreamOptions_Lane,
  StreamOptionsSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { encodeItem, totalBytes } from "../../../src/wire/item-encoder.ts";

/** What toBinary makes of the same item, field by field; the order of fields may differ. */
function expectSameAsToBinary(
  itemId: number,
  requestInit: MessageInitShape<typeof PredictRequestSchema>,
  optionsInit?: { unordered: boolean; lane: StreamOptions_Lane },
): Uint8Array[] {
  const request = create(PredictRequestSchema, requestInit);
  const options = optionsInit === undefined ? undefined : create(StreamOptionsSchema, optionsInit);
  const pieces = encodeItem(itemId, request, options);
  const bytes = Buffer.concat(pieces);
  expect(totalBytes(pieces)).toBe(bytes.length);
  expect(bytes[0]).toBe(0);
  expect(bytes.readUInt32BE(1)).toBe(bytes.length - 5);
  const whole = create(PredictStreamRequestSchema, {
    itemId: BigInt(itemId),
    request,
    ...(options === undefined ? {} : { options }),
  });
  const decoded = fromBinary(PredictStreamRequestSchema, bytes.subarray(5));
  const canonical = toBinary(PredictStreamRequestSchema, whole);
  expect(Buffer.compare(toBinary(PredictStreamRequestSchema, decoded), canonical)).toBe(0);
  expect(bytes.length - 5).toBe(canonical.length);
  return pieces;
}

const contents = fc.oneof(
  fc.record({
    int64Contents: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 4 }),
  }),
  fc.record({ bytesContents: fc.array(fc.uint8Array({ maxLength: 5 }), { maxLength: 4 }) }),
  fc.record({ fp32Contents: fc.array(fc.float({ noNaN: true }), { maxLength: 4 }) }),
);
const tensor = fc.record(
  {
    name: fc.string({ unit: "grapheme", maxLength: 200 }),
    datatype: fc.constantFrom("FP32", "BYTES", ""),
    shape: fc.array(fc.bigInt({ min: -5n, max: 2n ** 50n }), { maxLength: 4 }),
    contents,
    rawContents: fc
      .constantFrom(0, 1, 127, 128, 16_383, 16_384, 20_000)
      .map((length) => new Uint8Array(length).fill(7)),
  },
  { requiredKeys: [] },
);
const request = fc.record(
  {
    modelName: fc.string({ maxLength: 140 }),
    modelVersion: fc.string({ maxLength: 3 }),
    requestId: fc.string({ maxLength: 3 }),
    features: fc.array(fc.float({ noNaN: true }), { maxLength: 4 }),
    inputs: fc.array(tensor, { maxLength: 4 }),
    rows: fc.array(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.boolean())), { maxLength: 2 }),
    outputNames: fc.array(fc.string({ minLength: 1 }), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const options = fc.option(
  fc.record({ unordered: fc.boolean(), lane: fc.constantFrom<StreamOptions_Lane>(0, 1, 2) }),
  {
    nil: undefined,
  },
);

test("an item is encoded as toBinary does", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      request,
      options,
      (itemId, one, two) => {
        expectSameAsToBinary(itemId, one, two);
      },
    ),
    { numRuns: 300 },
  );
});

test("long raw contents are sent as they lie, short ones in one piece with the rest", () => {
  const long = new Uint8Array(245_760).fill(3);
  const input = { name: "X", datatype: "FP32", shape: [2048n, 30n], rawContents: long };
  const pieces = expectSameAsToBinary(1, { modelName: "lr", inputs: [input] });
  expect(pieces).toHaveLength(2);
  expect(pieces[1]!.buffer).toBe(long.buffer);
  const column = { name: "age", datatype: "FP32", shape: [2048n, 1n], rawContents: new Uint8Array(8192) };
  expect(expectSameAsToBinary(1, { modelName: "lr", inputs: [column, column, column] })).toHaveLength(1);
});
