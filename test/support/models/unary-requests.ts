/** Requests for `affineModel(2)`, good and bad, in every form, for tests that compare who answers them. */
import { create, type MessageInitShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type PredictRequest, PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });
const values = fc.array(fc.tuple(finite, finite), { minLength: 1, maxLength: 40 });
const text = fc.string({ unit: "binary", maxLength: 6 });

const raw = values.map((rows) => ({
  name: "x",
  datatype: "FP32",
  shape: [BigInt(rows.length), 2n],
  rawContents: new Uint8Array(Float32Array.from(rows.flat()).buffer),
}));
const typed = values.map((rows) => ({
  name: "x",
  datatype: "FP32",
  shape: [BigInt(rows.length), 2n],
  contents: { fp32Contents: rows.flat() },
}));

/** Mostly good ones. */
const predictRequest: fc.Arbitrary<PredictRequest> = fc
  .record({
    modelName: fc.oneof(
      { weight: 10, arbitrary: fc.constantFrom("affine", "affine", "") },
      { weight: 1, arbitrary: fc.constantFrom("full", "scored") },
      { weight: 1, arbitrary: text },
    ),
    modelVersion: fc.oneof({ weight: 8, arbitrary: fc.constant("") }, fc.constantFrom("1", "7", "x")),
    requestId: fc.oneof({ weight: 3, arbitrary: fc.constant("") }, text),
    form: fc.oneof(
      { weight: 4, arbitrary: fc.tuple(finite, finite).map((features) => ({ features })) },
      { weight: 1, arbitrary: fc.array(fc.float(), { maxLength: 3 }).map((features) => ({ features })) },
      { weight: 3, arbitrary: fc.array(raw, { maxLength: 2 }).map((inputs) => ({ inputs })) },
      { weight: 2, arbitrary: typed.map((input) => ({ inputs: [input] })) },
      { weight: 2, arbitrary: values.map((rows) => ({ rows: rows.map(([a, b]) => ({ x: a, y: b })) })) },
    ),
    outputNames: fc.oneof(
      { weight: 4, arbitrary: fc.constant([]) },
      fc.constantFrom(["y"], ["z"], ["y", "y"]),
    ),
  })
  .map(({ form, ...fields }) =>
    create(PredictRequestSchema, { ...fields, ...form } as unknown as MessageInitShape<
      typeof PredictRequestSchema
    >),
  );

/** A message's octets, damaged in one place, cut off or with more behind it; mostly as they are. */
export function damaged(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const damage = fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    {
      weight: 2,
      arbitrary: fc.record({
        at: fc.nat(),
        octet: fc.nat(255),
        cut: fc.nat(3),
        more: fc.uint8Array({ maxLength: 3 }),
      }),
    },
  );
  return fc.tuple(bytes, damage).map(([message, how]) => {
    if (how === undefined) return message;
    const copy = Buffer.from(message);
    if (copy.length > 0) copy[how.at % copy.length] = how.octet;
    return Buffer.concat([copy.subarray(0, Math.max(0, copy.length - how.cut)), how.more]);
  });
}

/** Protobuf's octets. */
export const binaryRequest = predictRequest.map((request) => toBinary(PredictRequestSchema, request));

/** JSON texts: as protobuf-es writes them, or with the names of the schema. */
export const jsonRequest = fc
  .tuple(predictRequest, fc.boolean())
  .map(([request, useProtoFieldName]) =>
    Buffer.from(toJsonString(PredictRequestSchema, request, { useProtoFieldName })),
  );

/** JSON that people write, right and wrong. */
export const HAND_WRITTEN_JSON: readonly string[] = [
  '{"features":[1,2]}',
  '{"modelName":"affine","features":["1","2.5"]}',
  '{"model_name":"affine","features":[1,2],"request_id":"\\ud83d\\ude00"}',
  '{"features":["NaN","Infinity"]}',
  '{"features":[NaN,1]}',
  '{"features":[1e400,1]}',
  '{"features":[1,2],"features":[3,4]}',
  '{"modelName":"affine","model_name":"affine","features":[1,2]}',
  '{"features":[1,2],"nobody":{"a":[1]}}',
  '{"features":null,"rows":[{"x":1}]}',
  '{"features":"1,2"}',
  '{"features":[1,2],"rows":[{"a":1}]}',
  '{"inputs":[{"name":"x","datatype":"FP32","shape":["1",2],"contents":{"fp32Contents":[1,2]}}]}',
  '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"rawContents":"AACAPwAAAEA="}]}',
  '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"rawContents":"not base64!"}]}',
  '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"contents":{"fp32Contents":[1,2,3]}}]}',
  '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[[1,2]]}],"outputNames":["y"]}',
  '{"features":[1,2],"outputNames":["y"]}',
  '{"features":[1,2,3]}',
  '{"modelName":"nobody","features":[1,2]}',
  '{"modelName":"full","features":[1,2]}',
  '{"modelName":5,"features":[1,2]}',
  "",
  " ",
  "{}",
  "null",
  "[1,2]",
  '"features"',
  '{"features":[1,2]',
  '{"features":[1,2]}x',
  "\ufeff{}",
  "[".repeat(300),
];
