import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PredictStreamRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { RequestReader } from "../../../src/wire/request-reader.ts";

const reader = new RequestReader();

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

/** Whether the octets are in the plain form; whatever is says what protobuf-es says. */
function isPlainAndAlike(bytes: Uint8Array): boolean {
  const plain = reader.item(bytes);
  if (plain !== undefined) expect(plain).toStrictEqual(fromBinary(PredictStreamRequestSchema, bytes));
  return plain !== undefined;
}

test("an item in the plain form is what protobuf-es reads", () => {
  let plain = 0;
  fc.assert(
    fc.property(item, (one) => {
      if (isPlainAndAlike(toBinary(PredictStreamRequestSchema, one))) plain++;
    }),
    { numRuns: 1500 },
  );
  expect(plain).toBeGreaterThan(10);
});

test("more inputs or axes than a model has are left to the decoder that counts them", () => {
  const encoded = (inputs: object[]) =>
    toBinary(
      PredictStreamRequestSchema,
      create(PredictStreamRequestSchema, {
        request: { inputs },
      } as MessageInitShape<typeof PredictStreamRequestSchema>),
    );
  expect(reader.item(encoded(new Array(1024).fill({ name: "x" })))).toBeDefined();
  expect(reader.item(encoded(new Array(1025).fill({ name: "x" })))).toBeUndefined();
  expect(reader.item(encoded([{ shape: new Array(16).fill(1n) }]))).toBeDefined();
  expect(reader.item(encoded([{ shape: new Array(17).fill(1n) }]))).toBeUndefined();
});

test.each([
  ["a model's name", "0a0161"],
  ["no features", "2200"],
  ["a tensor's raw contents", "2a022a00"],
])(
  "a request that says %s a hundred thousand times is left to the decoder that does so in slices",
  (_, field) => {
    const said = (times: number) => Buffer.from(field.repeat(times), "hex");
    expect(reader.request(said(1))).toBeDefined();
    expect(reader.request(said(100_000))).toBeUndefined();
  },
);

test("an item that says its id a hundred thousand times is left to that decoder too", () => {
  const said = (times: number) => Buffer.from("0807".repeat(times), "hex");
  expect(reader.item(said(1))).toMatchObject({ itemId: 7n });
  expect(reader.item(said(100_000))).toBeUndefined();
});

test("damaged bytes that still are in the plain form are what protobuf-es reads", () => {
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
      isPlainAndAlike(Buffer.concat([bytes.subarray(0, Math.max(0, bytes.length - cut)), more]));
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      isPlainAndAlike(bytes);
    }),
    { numRuns: 3000 },
  );
});

test("raw contents are a view of the message", () => {
  const inputs = [{ name: "x", datatype: "FP32", shape: [2n, 1n], rawContents: new Uint8Array(8) }];
  const bytes = toBinary(
    PredictStreamRequestSchema,
    create(PredictStreamRequestSchema, { request: { inputs } }),
  );
  expect(reader.item(bytes)!.request!.inputs[0]!.rawContents.buffer).toBe(bytes.buffer);
});
