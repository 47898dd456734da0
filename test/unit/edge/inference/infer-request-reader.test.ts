import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Tensor, TensorContentsSchema } from "../../../../gen/assay/v1/tensor_pb.ts";
import {
  ModelInferRequest_InferInputTensorSchema as InferInputTensorSchema,
  ModelInferRequestSchema,
} from "../../../../gen/inference/grpc_service_pb.ts";
import { inferRequest } from "../../../../src/edge/inference/infer-request.ts";
import { InferRequestReader } from "../../../../src/edge/inference/infer-request-reader.ts";

const reader = new InferRequestReader();
const text = fc.oneof(fc.string({ maxLength: 8 }), fc.string({ unit: "binary", maxLength: 90 }));
const lengths = fc.oneof(fc.bigInt({ min: 0n, max: 5000n }), fc.bigInt({ min: -3n, max: 2n ** 62n }));
const input = fc.record(
  { name: text, datatype: text, shape: fc.array(lengths, { maxLength: 3 }) },
  { requiredKeys: [] },
);
const request = fc
  .record(
    {
      modelName: text,
      modelVersion: text,
      id: text,
      inputs: fc.array(fc.tuple(input, fc.uint8Array({ maxLength: 80 })), { maxLength: 3 }),
      outputs: fc.array(fc.record({ name: text }), { maxLength: 2 }),
    },
    { requiredKeys: ["inputs"] },
  )
  .map(({ inputs, ...rest }) =>
    create(ModelInferRequestSchema, {
      ...rest,
      inputs: inputs.map(([head]) => head),
      rawInputContents: inputs.map(([, raw]) => raw),
    } as MessageInitShape<typeof ModelInferRequestSchema>),
  );

test("a request in the plain form is what protobuf-es reads", () => {
  let plain = 0;
  fc.assert(
    fc.property(request, (one) => {
      const bytes = toBinary(ModelInferRequestSchema, one);
      const read = reader.request(bytes);
      if (read === undefined) return;
      plain++;
      expect(read).toStrictEqual(inferRequest(fromBinary(ModelInferRequestSchema, bytes)));
    }),
    { numRuns: 1000 },
  );
  expect(plain).toBeGreaterThan(100);
});

const typed = fc.oneof(
  fc.record({ boolContents: fc.array(fc.boolean(), { maxLength: 5 }) }),
  fc.record({ intContents: fc.array(fc.integer(), { maxLength: 5 }) }),
  fc.record({
    int64Contents: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 5 }),
  }),
  fc.record({ uintContents: fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { maxLength: 5 }) }),
  fc.record({ uint64Contents: fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 5 }) }),
  fc.record({ fp32Contents: fc.array(fc.float(), { maxLength: 5 }) }),
  fc.record({ fp64Contents: fc.array(fc.double(), { maxLength: 5 }) }),
  fc.record({
    bytesContents: fc.array(
      fc.oneof(
        fc.string({ unit: "binary", maxLength: 9 }).map((one) => new TextEncoder().encode(one)),
        fc.uint8Array({ maxLength: 3 }),
      ),
      { maxLength: 5 },
    ),
  }),
);

/** Contents of either kind as the message's own lists. */
function lists({ contents, ...head }: Tensor): unknown {
  const fields = TensorContentsSchema.fields.map(({ localName }) => [
    localName,
    Array.from(contents?.[localName as "boolContents"] ?? []),
  ]);
  return { ...head, contents: Object.fromEntries(fields) };
}

test("typed contents are what protobuf-es reads, in every list", () => {
  let plain = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(input, typed), { minLength: 1, maxLength: 3 }), (inputs) => {
      const message = { inputs: inputs.map(([head, contents]) => ({ ...head, contents })) };
      const bytes = encoded(message as MessageInitShape<typeof ModelInferRequestSchema>);
      const read = reader.request(bytes);
      if (read === undefined) return;
      plain++;
      const expected = inferRequest(fromBinary(ModelInferRequestSchema, bytes));
      expect(read.isRaw).toBe(false);
      expect(read.inputs.map(lists)).toStrictEqual(expected.inputs.map(lists));
    }),
    { numRuns: 1000 },
  );
  expect(plain).toBeGreaterThan(100);
});

test("typed contents in two forms, of two lists, cut off, or with a NUL character are left to protobuf-es", () => {
  const x = { name: "x", contents: { fp32Contents: [1, 2] } };
  expect(reader.request(encoded({ inputs: [x] }))).toMatchObject({ isRaw: false });
  const { field } = InferInputTensorSchema;
  const odd: MessageInitShape<typeof ModelInferRequestSchema>[] = [
    { inputs: [x], rawInputContents: [new Uint8Array(8)] },
    { inputs: [x, { name: "y" }] },
    { inputs: [{ ...x, contents: {} }] },
    { inputs: [{ ...x, contents: { fp32Contents: [1], int64Contents: [1n] } }] },
    { inputs: [{ ...x, contents: { bytesContents: [new Uint8Array([65, 0])] } }] },
    { inputs: [{ ...x, contents: { fp32Contents: Array(20_000).fill(1) } }] },
  ];
  for (const message of odd) expect(reader.request(encoded(message))).toBeUndefined();
  const cut = (octets: number[]) =>
    Buffer.from([0x2a, octets.length + 2, field.contents.number * 8 + 2, octets.length, ...octets]);
  expect(reader.request(cut([0x32, 4, 0, 0, 0x80, 0x3f]))).toBeDefined();
  // Three octets of a float, a number without an end, one of eleven octets, a float that is not packed.
  expect(reader.request(cut([0x32, 3, 0, 0, 0x80]))).toBeUndefined();
  expect(reader.request(cut([0x12, 1, 0x80]))).toBeUndefined();
  expect(reader.request(cut([0x12, 11, ...Array(10).fill(0x80), 1]))).toBeUndefined();
  expect(reader.request(cut([0x35, 0, 0, 0x80, 0x3f]))).toBeUndefined();
});

function encoded(fields: MessageInitShape<typeof ModelInferRequestSchema>): Uint8Array {
  return toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, fields));
}

test("parameters and unknown fields are left to protobuf-es", () => {
  const raw = { inputs: [{ name: "x" }], rawInputContents: [new Uint8Array(4)] };
  expect(reader.request(encoded(raw))).toBeDefined();
  expect(reader.request(encoded({ inputs: [{ name: "x" }] }))).toBeUndefined();
  const parameter = { mine: { parameterChoice: { case: "boolParam" as const, value: true } } };
  expect(reader.request(encoded({ ...raw, parameters: parameter }))).toBeUndefined();
  expect(reader.request(Buffer.concat([encoded(raw), Buffer.from([0x7a, 0])]))).toBeUndefined();
});

test("raw contents that are not one for each input are refused by name", () => {
  const two = create(ModelInferRequestSchema, {
    inputs: [{ name: "x" }],
    rawInputContents: [new Uint8Array(4), new Uint8Array(4)],
  });
  const refusal = "raw_input_contents: 2 entries came for 1 inputs; each input has one, in their order";
  expect(() => reader.request(toBinary(ModelInferRequestSchema, two))).toThrow(refusal);
  expect(() => inferRequest(two)).toThrow(refusal);
});

test("a model's name that comes a hundred thousand times is left to the decoder that reads in slices", () => {
  const rest = toBinary(
    ModelInferRequestSchema,
    create(ModelInferRequestSchema, {
      inputs: [{ name: "x", datatype: "FP32", shape: [1n] }],
      rawInputContents: [new Uint8Array(4)],
    }),
  );
  const said = (times: number) => Buffer.concat([Buffer.from("0a0161".repeat(times), "hex"), rest]);
  expect(reader.request(said(1))).toBeDefined();
  expect(reader.request(said(100_000))).toBeUndefined();
});
