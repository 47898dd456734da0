import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ModelInferRequestSchema } from "../../../../gen/inference/grpc_service_pb.ts";
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

test("typed values, parameters and unknown fields are left to protobuf-es", () => {
  const encoded = (fields: MessageInitShape<typeof ModelInferRequestSchema>) =>
    toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, fields));
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
