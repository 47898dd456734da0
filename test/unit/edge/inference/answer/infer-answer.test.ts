import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Tensor } from "../../../../../gen/assay/v1/tensor_pb.ts";
import { ModelInferResponseSchema } from "../../../../../gen/inference/grpc_service_pb.ts";
import { type InferAnswer, MeasuredAnswer } from "../../../../../src/edge/inference/answer/infer-answer.ts";
import { rawContents } from "../../../../../src/tensor/tensor-contents.ts";
import type { TensorData } from "../../../../../src/tensor/tensor-data.ts";
import { WireWriter } from "../../../../../src/wire/wire-writer.ts";

/** Values in the form of their array, and as the list of their type holds them. */
const values = fc.oneof(
  fc.array(fc.float({ noNaN: true })).map((list) => of("FP32", new Float32Array(list), "fp32Contents", list)),
  fc
    .array(fc.double({ noNaN: true }))
    .map((list) => of("FP64", new Float64Array(list), "fp64Contents", list)),
  fc
    .array(fc.integer({ min: -128, max: 127 }))
    .map((list) => of("INT8", new Int8Array(list), "intContents", list)),
  fc.array(fc.integer()).map((list) => of("INT32", new Int32Array(list), "intContents", list)),
  fc
    .array(fc.integer({ min: 0, max: 0xffff_ffff }))
    .map((list) => of("UINT32", new Uint32Array(list), "uintContents", list)),
  fc
    .array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
    .map((list) => of("INT64", new BigInt64Array(list), "int64Contents", list)),
  fc
    .array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
    .map((list) => of("UINT64", new BigUint64Array(list), "uint64Contents", list)),
  fc.array(fc.boolean()).map((list) => of("BOOL", new Uint8Array(list.map(Number)), "boolContents", list)),
  fc.array(fc.string({ unit: "binary" })).map((list) =>
    of(
      "BYTES",
      list,
      "bytesContents",
      list.map((text) => new Uint8Array(Buffer.from(text))),
    ),
  ),
);

function of(datatype: TensorData["datatype"], data: TensorData["data"], field: string, list: unknown[]) {
  return { datatype, data, field, list };
}

function written(answer: InferAnswer): Uint8Array {
  const measured = new MeasuredAnswer(answer);
  const bytes = Buffer.alloc(measured.byteCount);
  const writer = new WireWriter(bytes);
  measured.write(writer);
  expect(writer.cut().length).toBe(bytes.length);
  return new Uint8Array(bytes);
}

function tensorOf({ datatype, data }: Pick<TensorData, "datatype" | "data">, name: string): Tensor {
  const raw = rawContents({ name, datatype, shape: [data.length], data });
  return { $typeName: "assay.v1.Tensor", name, datatype, shape: [BigInt(data.length)], rawContents: raw };
}

test("what is written is what protobuf-es reads, raw and typed, in every type that has typed contents", () => {
  fc.assert(
    fc.property(fc.array(values, { maxLength: 3 }), fc.string(), fc.boolean(), (list, id, isRaw) => {
      const outputs = list.map((one, index) => tensorOf(one, `é${index}`));
      const response = { modelName: "m", modelVersion: "1", requestId: id.toWellFormed(), outputs };
      const read = fromBinary(ModelInferResponseSchema, written({ request: { isRaw }, response }));
      expect(read).toMatchObject({ modelName: "m", modelVersion: "1", id: response.requestId });
      expect(read.outputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual(
        outputs.map(({ name, datatype, shape }) => [name, datatype, shape]),
      );
      expect(read.rawOutputContents.map((raw) => Buffer.from(raw))).toEqual(
        outputs.map(({ rawContents: raw }) => Buffer.from(raw)),
      );
      for (const [index, { contents }] of read.outputs.entries()) {
        const came = (contents as unknown as Record<string, unknown> | undefined)?.[list[index]!.field];
        expect(came).toEqual(isRaw ? undefined : list[index]!.list);
      }
    }),
    { numRuns: 300 },
  );
});

test("types without typed contents come raw whatever was asked", () => {
  const half = tensorOf({ datatype: "FP16", data: new Uint16Array([1, 2]) }, "x");
  const response = { modelName: "m", modelVersion: "1", requestId: "", outputs: [half] };
  const read = fromBinary(ModelInferResponseSchema, written({ request: { isRaw: false }, response }));
  expect(read.outputs[0]!.contents).toBeUndefined();
  expect(read.rawOutputContents[0]).toHaveLength(4);
});

test("an answer of a stream says that it is the last where that is asked", () => {
  const response = { modelName: "m", modelVersion: "1", requestId: "", outputs: [] };
  const bytes = written({ request: { isRaw: true }, response, saysFinal: true });
  const { parameters } = fromBinary(ModelInferResponseSchema, bytes);
  expect(parameters.triton_final_response?.parameterChoice).toEqual({ case: "boolParam", value: true });
});
