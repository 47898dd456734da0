import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { TensorContentsSchema, TensorSchema } from "../../../../gen/assay/v1/tensor_pb.ts";
import { decodeInSlices } from "../../../../src/edge/decode/binary-decoding.ts";
import { decodePacked } from "../../../../src/edge/decode/packed-decoding.ts";
import { LoopSlices } from "../../../../src/edge/memory/loop-slices.ts";
import { PackedContents } from "../../../../src/tensor/packed-contents.ts";
import { delimited } from "../../../support/clients/wire-octets.ts";

type Contents = MessageInitShape<typeof TensorContentsSchema>;

const some = <T>(values: fc.Arbitrary<T>) => fc.array(values, { minLength: 1 });
const LISTS: readonly fc.Arbitrary<Contents>[] = [
  some(fc.boolean()).map((boolContents) => ({ boolContents })),
  some(fc.integer()).map((intContents) => ({ intContents })),
  some(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map((int64Contents) => ({ int64Contents })),
  some(fc.nat({ max: 2 ** 32 - 1 })).map((uintContents) => ({ uintContents })),
  some(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map((uint64Contents) => ({ uint64Contents })),
  some(fc.float()).map((fp32Contents) => ({ fp32Contents })),
  some(fc.double()).map((fp64Contents) => ({ fp64Contents })),
  some(fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"))).map((texts) => ({
    bytesContents: texts.map((text) => Buffer.from(text)),
  })),
];

const octetsOf = (contents: Contents) =>
  Buffer.from(toBinary(TensorContentsSchema, create(TensorContentsSchema, contents)));
const FIELDS = TensorContentsSchema.fields.map(({ localName }) => localName) as (keyof Contents)[];

/** The lists of a message, octets as plain arrays. */
function lists(contents: object): unknown {
  const record = contents as Record<string, unknown[]>;
  return FIELDS.map((field) =>
    record[field as string]!.map((value) => (value instanceof Uint8Array ? [...value] : value)),
  );
}

test("one list is read as protobuf reads it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(...LISTS), async (contents) => {
      const octets = octetsOf(contents);
      const packed = await decodePacked(octets, new LoopSlices());
      expect(packed).toBeInstanceOf(PackedContents);
      expect(lists(packed!)).toEqual(lists(fromBinary(TensorContentsSchema, octets)));
    }),
    { numRuns: 300 },
  );
});

test.each<[string, Buffer]>([
  ["two lists", octetsOf({ intContents: [1], fp32Contents: [1] })],
  ["a list in two records", Buffer.concat([octetsOf({ intContents: [1] }), octetsOf({ intContents: [2] })])],
  ["values that are not packed", Buffer.from([0x10, 1, 0x10, 2])],
  ["a flag of two octets", Buffer.from([0x0a, 2, 0x81, 0])],
  ["a field that is none", Buffer.from([0x7a, 0])],
])("%s: left to protobuf's own reader", async (_, octets) => {
  expect(await decodePacked(octets, new LoopSlices())).toBeUndefined();
});

const integers = Array.from({ length: 50_000 }, (_, i) => i - 25_000);
const tensor = (contents: Contents, rest: object = {}) =>
  toBinary(
    PredictRequestSchema,
    create(PredictRequestSchema, { inputs: [{ name: "x", datatype: "INT32", contents, ...rest }] }),
  );

const ofTensor = (contents: Contents) => delimited(TensorSchema.field.contents.number, octetsOf(contents));

test.each<[string, Uint8Array, boolean]>([
  ["a large tensor's", tensor({ intContents: integers }), true],
  ["a small tensor's", tensor({ intContents: integers.slice(0, 10) }), false],
  ["those before raw contents", tensor({ intContents: integers }, { rawContents: new Uint8Array(4) }), true],
  [
    "those before the name",
    delimited(5, Buffer.concat([ofTensor({ intContents: integers }), delimited(1, Buffer.from("x"))])),
    true,
  ],
  [
    "those that come twice",
    delimited(5, Buffer.concat([ofTensor({ intContents: integers }), ofTensor({ intContents: [7] })])),
    false,
  ],
])("contents lie in one array: %s", async (_, octets, isPacked) => {
  const decoded = await decodeInSlices(PredictRequestSchema, octets, new LoopSlices());
  const { contents } = (decoded as ReturnType<typeof create<typeof PredictRequestSchema>>).inputs[0]!;
  expect(contents instanceof PackedContents).toBe(isPacked);
  const whole = fromBinary(PredictRequestSchema, octets).inputs[0]!.contents!;
  expect(lists(contents!)).toEqual(lists(whole));
});
