import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ModelSchema } from "../../../../gen/assay/v1/model_service_pb.ts";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
} from "../../../../gen/inference/grpc_service_pb.ts";
import { inferTensors } from "../../../../src/load/infer-tensors.ts";
import type { CallAnswer } from "../../../../src/load/protocol/call-form.ts";
import { inferenceForm, inferenceRestForm } from "../../../../src/load/protocol/inference.ts";
import type { TensorData } from "../../../../src/tensor/tensor-data.ts";
import { framed } from "../../../../src/wire/grpc-frame.ts";

const NAMED = { modelName: "m/1", modelVersion: "2" };
const TENSORS: readonly TensorData[] = [
  { name: "x", datatype: "FP32", shape: [1, 2], data: new Float32Array([1.5, Number.NaN]) },
  { name: "n", datatype: "INT64", shape: [1], data: new BigInt64Array([2n ** 60n]) },
  { name: "t", datatype: "BYTES", shape: [1], data: ['a"é'] },
  { name: "b", datatype: "BOOL", shape: [1], data: new Uint8Array([1]) },
];
const people = create(ModelSchema, {
  modelName: "people",
  inputs: [
    { name: "age", datatype: "INT64", shape: [-1n, 1n] },
    { name: "sex", datatype: "BYTES", shape: [-1n, 1n], aliases: ["Sex"] },
    { name: "pair", datatype: "FP32", shape: [-1n, 2n], featureNames: ["a", "b"] },
    { name: "hint", datatype: "FP32", shape: [-1n, 1n], optional: true },
  ],
});

function answer(status: number, body: string | Uint8Array, head: Record<string, string>): CallAnswer {
  return { status, body: Buffer.from(body), field: (name) => head[name], trailer: () => "0" };
}

test("ModelInfer sends raw contents beside the heads of the tensors", () => {
  const { path, body } = inferenceForm(NAMED, TENSORS, false);
  expect(path).toBe("/inference.GRPCInferenceService/ModelInfer");
  const message = fromBinary(ModelInferRequestSchema, body.subarray(5));
  expect(message).toMatchObject({ modelName: "m/1", modelVersion: "2" });
  expect(message.inputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
    ["x", "FP32", [1n, 2n]],
    ["n", "INT64", [1n]],
    ["t", "BYTES", [1n]],
    ["b", "BOOL", [1n]],
  ]);
  expect(message.rawInputContents.map(({ length }) => length)).toEqual([8, 8, 4 + 4, 1]);
});

test("the REST form has its values in JSON, with every digit, and null for what is missing", () => {
  const { path, body } = inferenceRestForm(NAMED, TENSORS, false);
  expect(path).toBe("/v2/models/m%2F1/versions/2/infer");
  const text = Buffer.from(body).toString();
  expect(text).toContain(`"data":[${2n ** 60n}]`);
  expect(JSON.parse(text).inputs.map(({ data }: { data: unknown }) => data)).toMatchObject([
    [1.5, null],
    [2 ** 60],
    ['a"é'],
    [true],
  ]);
  const half: TensorData = { name: "h", datatype: "FP16", shape: [1], data: new Uint16Array([0]) };
  expect(() => inferenceRestForm(NAMED, [half], false)).toThrow("JSON carries no FP16");
});

test("an answer is checked for outputs, and an error of REST is its text", () => {
  const rest = inferenceRestForm(NAMED, TENSORS, true);
  const json = { "content-type": "application/json" };
  expect(rest.failure(answer(200, '{"outputs":[{}]}', json))).toBeUndefined();
  expect(rest.failure(answer(200, '{"outputs":[]}', json))?.message).toContain("no outputs");
  expect(rest.failure(answer(200, "{", json))?.message).toContain("cannot be read");
  const error = answer(404, '{"error":"Request for unknown model"}', json);
  expect(rest.failure(error)).toEqual({ code: "HTTP 404", reason: "", message: "Request for unknown model" });
  expect(rest.failure(answer(502, "bad gateway", {}))?.code).toBe("HTTP 502");

  const grpc = inferenceForm(NAMED, TENSORS, true);
  const response = (outputs: { name: string }[]) =>
    framed(0, toBinary(ModelInferResponseSchema, create(ModelInferResponseSchema, { outputs })));
  expect(grpc.failure(answer(200, response([{ name: "y" }]), {}))).toBeUndefined();
  expect(grpc.failure(answer(200, response([]), {}))?.message).toContain("no outputs");
});

test("rows become a tensor for each input, by names and aliases; optional inputs only where a row brings them", () => {
  const rows = [
    { age: 39, sex: "f", a: 1, b: null },
    { age: 40, Sex: "m", a: 3, b: 4 },
  ];
  const tensors = inferTensors(create(PredictRequestSchema, { rows }), people);
  expect(tensors.map(({ name, shape, data }) => [name, shape, [...data]])).toEqual([
    ["age", [2, 1], [39n, 40n]],
    ["sex", [2, 1], ["f", "m"]],
    ["pair", [2, 2], [1, Number.NaN, 3, 4]],
  ]);
});

test("features are a row of the input that has to come; typed and raw inputs are taken as they are", () => {
  const one = create(ModelSchema, { inputs: [{ name: "x", datatype: "FP32", shape: [-1n, 2n] }] });
  const features = create(PredictRequestSchema, { features: [1, 2] });
  expect(inferTensors(features, one)).toMatchObject([{ name: "x", shape: [1, 2] }]);
  expect(() => inferTensors(features, undefined)).toThrow("inputs are expected");
  const inputs = create(PredictRequestSchema, {
    inputs: [
      { name: "r", datatype: "INT16", shape: [2n], rawContents: new Uint8Array([1, 0, 2, 0]) },
      { name: "t", datatype: "BYTES", shape: [1n], contents: { bytesContents: [Buffer.from("é")] } },
      { name: "s", datatype: "BYTES", shape: [1n], rawContents: new Uint8Array([1, 0, 0, 0, 65]) },
    ],
  });
  expect(inferTensors(inputs, undefined).map(({ data }) => [...data])).toEqual([[1, 2], ["é"], ["A"]]);
  const short = create(PredictRequestSchema, {
    inputs: [{ name: "r", datatype: "INT16", shape: [3n], rawContents: new Uint8Array(4) }],
  });
  expect(() => inferTensors(short, undefined)).toThrow("r has 2 values, and its shape [3] takes 3");
});
