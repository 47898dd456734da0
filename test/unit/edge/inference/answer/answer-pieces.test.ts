import { create, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Tensor } from "../../../../../gen/assay/v1/tensor_pb.ts";
import {
  ModelInferResponseSchema,
  ModelStreamInferResponseSchema,
} from "../../../../../gen/inference/grpc_service_pb.ts";
import { OctetParts } from "../../../../../src/edge/answer/octet-parts.ts";
import {
  isLargeAnswer,
  writeBinary,
  writeItem,
  writeJson,
} from "../../../../../src/edge/inference/answer/answer-pieces.ts";
import { ClassTexts } from "../../../../../src/edge/inference/answer/classification.ts";
import { type InferAnswer, MeasuredAnswer } from "../../../../../src/edge/inference/answer/infer-answer.ts";
import type { Datatype } from "../../../../../src/tensor/datatype.ts";
import { RawTextTensor } from "../../../../../src/tensor/raw-text-tensor.ts";
import { rawContents, rawTexts } from "../../../../../src/tensor/tensor-contents.ts";
import type { TensorData } from "../../../../../src/tensor/tensor-data.ts";
import { WireWriter } from "../../../../../src/wire/wire-writer.ts";

const $typeName = "assay.v1.Tensor";
const NUMBERS: readonly [Datatype, TensorData["data"]][] = [
  ["BOOL", Uint8Array.of(0, 1, 1)],
  ["INT8", Int8Array.of(-128, 0, 127)],
  ["UINT16", Uint16Array.of(0, 65_535)],
  ["INT32", Int32Array.of(-1, 2 ** 31 - 1)],
  ["INT64", BigInt64Array.of(-1n, 2n ** 62n)],
  ["UINT64", BigUint64Array.of(2n ** 64n - 1n)],
  ["FP16", Uint16Array.of(1, 2)],
  ["FP32", Float32Array.of(0.5, Number.NaN, -0)],
  ["FP64", Float64Array.of(1e300)],
  ["FP32", new Float32Array(0)],
];

function numbers(datatype: Datatype, data: TensorData["data"], times: number): Tensor {
  const octets = rawContents({ name: "y", datatype, shape: [data.length], data } as TensorData);
  const raw = new Uint8Array(Buffer.alloc(octets.length * times, octets));
  return {
    $typeName,
    name: `y ${datatype}`,
    datatype,
    shape: [BigInt(data.length * times)],
    rawContents: raw,
  };
}

const outputs = fc.oneof(
  fc
    .tuple(fc.constantFrom(...NUMBERS), fc.constantFrom(1, 3, 20_000))
    .map(([[datatype, data], times]) => numbers(datatype, data, times)),
  fc
    .array(fc.string({ unit: "binary" }), { maxLength: 20 })
    .map((texts) => new RawTextTensor("texts", [BigInt(texts.length)], texts)),
  fc.array(fc.string({ unit: "binary" }), { maxLength: 20 }).map(
    (texts): Tensor => ({
      $typeName,
      name: "raw texts",
      datatype: "BYTES",
      shape: [BigInt(texts.length)],
      rawContents: rawTexts(texts, 0, texts.length),
    }),
  ),
  fc.tuple(fc.constantFrom(1, 2, 9000), fc.constantFrom(1, 2, 3)).map(([rows, count]) => {
    const values = numbers("FP32", Float32Array.of(0.25, 0.5, 0.125), rows);
    return new ClassTexts({ ...values, shape: [BigInt(rows), 3n] }, count, {
      hasRows: true,
      labelsOf: () => ["a"],
    });
  }),
);

const answers = fc
  .record({
    isRaw: fc.boolean(),
    saysFinal: fc.boolean(),
    requestId: fc.string(),
    outputs: fc.array(outputs, { maxLength: 3 }),
  })
  .map(
    ({ isRaw, saysFinal, ...rest }): InferAnswer => ({
      request: { isRaw },
      saysFinal,
      response: { modelName: "m", modelVersion: "1", ...rest },
    }),
  );

function whole(answer: InferAnswer): Buffer {
  const measured = new MeasuredAnswer(answer);
  const bytes = Buffer.alloc(measured.byteCount);
  measured.write(new WireWriter(bytes));
  return bytes;
}

function written(steps: (parts: OctetParts) => Generator<void>): Buffer {
  const parts = new OctetParts();
  for (const _ of steps(parts));
  return Buffer.from(parts.octets());
}

test("what is written in pieces is what is written at once, as protobuf and as JSON", () => {
  fc.assert(
    fc.property(answers, (answer) => {
      const octets = whole(answer);
      const message = fromBinary(ModelInferResponseSchema, octets);
      const item = create(ModelStreamInferResponseSchema, { inferResponse: message });
      expect(written((parts) => writeBinary(answer, parts)).equals(octets)).toBe(true);
      expect(
        written((parts) => writeItem(answer, false, parts)).equals(
          toBinary(ModelStreamInferResponseSchema, item),
        ),
      ).toBe(true);
      // An answer without outputs is never written in pieces, and an empty list is left out.
      if (answer.response.outputs.length === 0) return;
      expect(written((parts) => writeJson(answer, parts)).toString()).toBe(
        JSON.stringify(toJson(ModelInferResponseSchema, message)),
      );
      expect(written((parts) => writeItem(answer, true, parts)).toString()).toBe(
        JSON.stringify(toJson(ModelStreamInferResponseSchema, item)),
      );
    }),
    { numRuns: 60 },
  );
});

test("answers of many octets, many texts or many classes are large, and their pieces short", () => {
  const floats = numbers("FP32", new Float32Array(100_000), 1);
  const texts = new RawTextTensor("t", [50_000n], new Array<string>(50_000).fill("a text"));
  const classes = new ClassTexts(floats, 3, { hasRows: false, labelsOf: () => [] });
  for (const one of [floats, texts, classes]) {
    expect(isLargeAnswer({ outputs: [one] })).toBe(true);
    const answer = {
      request: { isRaw: false },
      response: { modelName: "m", modelVersion: "", requestId: "", outputs: [one] },
    };
    expect([...writeBinary(answer, new OctetParts())].length).toBeGreaterThan(5);
  }
  expect(isLargeAnswer({ outputs: [numbers("FP32", new Float32Array(1000), 1)] })).toBe(false);
});
