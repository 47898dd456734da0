import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { TensorSchema } from "../../../../gen/assay/v1/tensor_pb.ts";
import { createResponse, fetchedOutputs } from "../../../../src/service/answer/response.ts";
import { RawTextTensor } from "../../../../src/tensor/raw-text-tensor.ts";
import { rawContents } from "../../../../src/tensor/tensor-contents.ts";
import type { TensorData } from "../../../../src/tensor/tensor-data.ts";
import { signature, spec } from "../../../support/models/signatures.ts";

const classifier = (kind: "second-class" | "highest-class", labels: string[]) =>
  signature([spec("x", "FP32", [-1, 1])], {
    outputs: [
      spec("label", "BYTES", [-1]),
      spec("p", "FP32", [-1, labels.length]),
      spec("extra", "INT64", [-1]),
    ],
    score: { output: "p", kind },
    labelOutput: "label",
    labels,
  });
const shape = { modelName: "m", modelVersion: "1", requestId: "r", rowCount: 2, outputNames: [], raw: false };

test("a binary classifier scores its second class", () => {
  const outputs: TensorData[] = [
    { name: "label", datatype: "BYTES", shape: [2], data: ["no", "yes"] },
    { name: "p", datatype: "FP32", shape: [2, 2], data: new Float32Array([0.75, 0.25, 0.5, 0.5]) },
  ];
  const response = createResponse(outputs, classifier("second-class", ["no", "yes"]), shape);
  expect(response).toMatchObject({ scores: [0.25, 0.5], labels: ["no", "yes"], outputs: [], requestId: "r" });
});

test("a classifier of many scores its highest class, with integer labels as text", () => {
  const outputs: TensorData[] = [
    { name: "label", datatype: "INT64", shape: [2], data: new BigInt64Array([2n, 0n]) },
    { name: "p", datatype: "FP32", shape: [2, 3], data: new Float32Array([0, 0.25, 0.75, 1, 0, 0]) },
  ];
  const response = createResponse(outputs, classifier("highest-class", ["0", "1", "2"]), shape);
  expect(response).toMatchObject({ scores: [0.75, 1], labels: ["2", "0"] });
});

test("FP16 scores are numbers and FP16 tensors are raw", () => {
  const half = signature([spec("x", "FP32", [-1, 1])], { outputs: [spec("y", "FP16", [-1])] });
  const outputs: TensorData[] = [
    { name: "y", datatype: "FP16", shape: [2], data: new Uint16Array([0x3c00, 0xc000]) },
  ];
  const response = createResponse(outputs, half, { ...shape, outputNames: ["y"] });
  expect(response.scores).toEqual([1, -2]);
  expect([...response.outputs[0]!.rawContents]).toEqual([0x00, 0x3c, 0x00, 0xc0]);
});

test("a raw request is answered raw and a typed one typed", () => {
  const plain = signature([spec("x", "FP32", [-1, 1])], { score: undefined });
  const outputs: TensorData[] = [
    { name: "y", datatype: "FP32", shape: [2, 1], data: new Float32Array([1, 2]) },
  ];
  const typed = createResponse(outputs, plain, { ...shape, outputNames: ["y"] });
  expect(typed.outputs[0]).toMatchObject({ contents: { fp32Contents: [1, 2] }, shape: [2n, 1n] });
  const raw = createResponse(outputs, plain, { ...shape, outputNames: ["y"], raw: true });
  expect(new Float32Array(raw.outputs[0]!.rawContents.slice().buffer)).toEqual(new Float32Array([1, 2]));
});

test("a raw answer of many texts keeps them as texts, and is the same message", () => {
  const plain = signature([spec("x", "BYTES", [-1, 1])], { score: undefined });
  const data = Array.from({ length: 20_000 }, (_, i) => `täxt ${i}`);
  const output: TensorData = { name: "y", datatype: "BYTES", shape: [1, data.length], data };
  const asked = { ...shape, rowCount: 1, outputNames: ["y"], raw: true };
  const [large] = createResponse([output], plain, asked).outputs;
  expect(large).toBeInstanceOf(RawTextTensor);
  const few = { ...output, shape: [1, 3], data: data.slice(0, 3) };
  expect(createResponse([few], plain, asked).outputs[0]).not.toBeInstanceOf(RawTextTensor);
  const octets = create(TensorSchema, {
    name: "y",
    datatype: "BYTES",
    shape: [1n, 20_000n],
    rawContents: rawContents(output),
  });
  expect(Buffer.from(toBinary(TensorSchema, large!)).equals(toBinary(TensorSchema, octets))).toBe(true);
});

test("a run fetches what was asked for and what scores are read from, nothing else", () => {
  expect(fetchedOutputs([], classifier("second-class", ["a", "b"]))).toEqual(["label", "p"]);
  expect(fetchedOutputs(["extra"], classifier("second-class", ["a", "b"]))).toEqual(["label", "p", "extra"]);
});

test("a model of labels alone gives labels and no scores, and runs for both what is asked and the label", () => {
  const only = signature([spec("x", "FP32", [-1, 1])], {
    outputs: [spec("label", "UINT32", [-1, 1]), spec("extra", "FP32", [-1, 3])],
    score: undefined,
    labelOutput: "label",
  });
  const outputs: TensorData[] = [
    { name: "label", datatype: "UINT32", shape: [2, 1], data: Uint32Array.of(7, 5000) },
  ];
  expect(createResponse(outputs, only, shape)).toMatchObject({ scores: [], labels: ["7", "5000"] });
  expect(fetchedOutputs(["extra"], only)).toEqual(["label", "extra"]);
});

test.each([
  ["BOOL", Uint8Array.of(1, 0), ["true", "false"]],
  ["FP32", Float32Array.of(1, 2.5), ["1", "2.5"]],
  ["FP64", Float64Array.of(-1, 0), ["-1", "0"]],
  ["FP16", Uint16Array.of(0x3c00, 0), ["1", "0"]],
  ["BF16", Uint16Array.of(0x3f80, 0), ["1", "0"]],
  ["INT8", Int8Array.of(-1, 1), ["-1", "1"]],
] as const)("labels of %s are text", (datatype, data, expected) => {
  const outputs: TensorData[] = [{ name: "label", datatype, shape: [2], data }];
  const only = signature([], {
    outputs: [spec("label", datatype, [-1])],
    score: undefined,
    labelOutput: "label",
  });
  expect(createResponse(outputs, only, shape).labels).toEqual(expected);
});

test("labels are named as the columns name their classes", () => {
  const named = {
    ...classifier("second-class", ["0.0", "1.0"]),
    labelNames: new Map([
      ["0", "0.0"],
      ["1", "1.0"],
    ]),
  };
  const outputs: TensorData[] = [
    { name: "label", datatype: "INT64", shape: [2], data: BigInt64Array.of(1n, 0n) },
    { name: "p", datatype: "FP32", shape: [2, 2], data: new Float32Array([0.25, 0.75, 0.5, 0.5]) },
  ];
  expect(createResponse(outputs, named, shape).labels).toEqual(["1.0", "0.0"]);
});

test("the second class may stand in the first column", () => {
  const swapped = {
    ...classifier("second-class", ["yes", "no"]),
    score: { output: "p", kind: "second-class", column: 0 } as const,
  };
  const outputs: TensorData[] = [
    { name: "label", datatype: "BYTES", shape: [2], data: ["yes", "no"] },
    { name: "p", datatype: "FP32", shape: [2, 2], data: new Float32Array([2, -2, -1, 1]) },
  ];
  expect(createResponse(outputs, swapped, shape).scores).toEqual([2, -1]);
});
