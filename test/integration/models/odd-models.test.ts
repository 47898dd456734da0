import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { BatchingMode, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";
import { fileFolder } from "../../support/folders.ts";
import {
  buildModel,
  node,
  storedTensor,
  tensorInfo,
  zipMapClassifier,
} from "../../support/models/model-builder.ts";
import { fromMessage, toMessage } from "../../support/models/tensor-messages.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const ODD_NAMES = ["constructor", "a b", "prénom", "x:0", "hasOwnProperty", "__proto__"];

/** Each input goes through unchanged to an output `<name>'`, but `__proto__` to an output of that very name. */
const oddNames = buildModel({
  inputs: ODD_NAMES.map((name) => tensorInfo(name, "FLOAT", [null])),
  outputs: [
    tensorInfo("__proto__'", "FLOAT", [null]),
    tensorInfo("toString", "FLOAT", [null]),
    ...ODD_NAMES.slice(0, -1).map((name) => tensorInfo(`${name}'`, "FLOAT", [null])),
  ],
  nodes: [
    ...ODD_NAMES.map((name) => node("Identity", [name], [`${name}'`])),
    node("Identity", ["constructor"], ["toString"]),
  ],
});

const protoOutput = buildModel({
  inputs: [tensorInfo("x", "FLOAT", [null])],
  outputs: [tensorInfo("__proto__", "FLOAT", [null]), tensorInfo("constructor", "FLOAT", [null])],
  nodes: [node("Identity", ["x"], ["__proto__"]), node("Neg", ["x"], ["constructor"])],
});

/** y = x × factor; the factor has a default. */
const withDefault = buildModel({
  inputs: [tensorInfo("x", "FLOAT", [1, 2]), tensorInfo("factor", "FLOAT", [1, 1])],
  outputs: [tensorInfo("y", "FLOAT", [1, 2])],
  nodes: [node("Mul", ["x", "factor"], ["y"])],
  initializers: [storedTensor("factor", [1, 1], Float32Array.of(3))],
});

const scalar = buildModel({
  inputs: [tensorInfo("x", "FLOAT", []), tensorInfo("on", "BOOL", [])],
  outputs: [tensorInfo("y", "FLOAT", [])],
  nodes: [node("Neg", ["x"], ["minus"]), node("Where", ["on", "minus", "x"], ["y"])],
});

const coupledSoftmax = buildModel({
  inputs: [tensorInfo("x", "FLOAT", [null, 1])],
  outputs: [tensorInfo("y", "FLOAT", [null, 1])],
  nodes: [node("Softmax", ["x"], ["y"], { axis: 0n })],
});

const anyShape = buildModel({
  inputs: [tensorInfo("x", "FLOAT")],
  outputs: [tensorInfo("y", "FLOAT")],
  nodes: [node("Neg", ["x"], ["y"])],
});

const halfColumns = buildModel({
  inputs: [tensorInfo("how_tall_now", "FLOAT16", [null, 1]), tensorInfo("is_old", "BOOL", [null, 1])],
  outputs: [tensorInfo("t", "FLOAT16", [null, 1]), tensorInfo("o", "BOOL", [null, 1])],
  nodes: [node("Identity", ["how_tall_now"], ["t"]), node("Identity", ["is_old"], ["o"])],
});

const lookup = buildModel({
  inputs: [tensorInfo("at", "INT64", [null])],
  outputs: [tensorInfo("value", "FLOAT", [null])],
  nodes: [node("Gather", ["table", "at"], ["value"])],
  initializers: [storedTensor("table", [4], Float32Array.of(10, 11, 12, 13))],
});

/** As many zeros as it is told. */
const zeros = buildModel({
  inputs: [tensorInfo("shape", "INT64", [1])],
  outputs: [tensorInfo("y", "FLOAT", [null])],
  nodes: [node("ConstantOfShape", ["shape"], ["y"])],
});

const fp32 = (name: string, shape: number[], ...values: number[]): TensorData => ({
  name,
  datatype: "FP32",
  shape,
  data: Float32Array.from(values),
});

const root = fileFolder();

const damaged = zipMapClassifier(["a", "b", "c"]);
const files: Record<string, Uint8Array | string> = {
  "names/1/model.onnx": oddNames,
  "proto/1/model.onnx": protoOutput,
  "default/1/model.onnx": withDefault,
  "scalar/1/model.onnx": scalar,
  "coupled/1/model.onnx": coupledSoftmax,
  "coupled/1/config.json": '{"max_batch_size": 4}',
  "any/1/model.onnx": anyShape,
  "columns/1/model.onnx": halfColumns,
  "lookup/1/model.onnx": lookup,
  "zeros/1/model.onnx": zeros,
  "classes/1/model.onnx": zipMapClassifier(["a", "b", "c"]),
  "damaged/1/model.onnx": damaged,
  "damaged/1/golden.json": JSON.stringify({
    inputs: { X: { datatype: "FP32", shape: [1, 4], data: [1, 2, 3, 4] } },
    outputs: { output_probability: { datatype: "FP32", shape: [1, 3], data: [0.3, 0.3, 0.4] } },
  }),
  "pickle/1/model.onnx": "\u0000",
};
for (const [path, content] of Object.entries(files)) {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}
writeFileSync(join(root, "pickle/1/model.onnx"), Uint8Array.of(0x80, 4, 0x95, 1, 2, 3));
const server = await fileServer(root);
const baseUrl = server.url;
const clients = {
  gRPC: createClient(ScoringService, createGrpcTransport({ baseUrl })),
  JSON: createClient(
    ScoringService,
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  ),
};

describe.each(["gRPC", "JSON"] as const)("through %s", (protocol) => {
  async function predict(
    modelName: string,
    inputs: readonly TensorData[],
    outputNames: string[] = ["*"],
  ): Promise<Map<string, TensorData>> {
    const response = await clients[protocol].predict({
      modelName,
      inputs: inputs.map((input) => toMessage(input)),
      outputNames,
    });
    return new Map(response.outputs.map((output) => [output.name, fromMessage(output)]));
  }

  it("names that are no identifiers are only names", async () => {
    const inputs = ODD_NAMES.map((name, index) => fp32(name, [2], index, index + 0.5));
    const outputs = await predict("names", inputs);
    for (const [index, name] of ODD_NAMES.entries()) {
      expect(outputs.get(`${name}'`)?.data).toEqual(Float32Array.of(index, index + 0.5));
    }
    const some = await predict("names", inputs, ["a b'"]);
    expect([...some.keys()]).toEqual(["a b'"]);
  });

  it("an output may be called __proto__, and one that is not asked for constructor", async () => {
    const outputs = await predict("proto", [fp32("x", [1], 7)], ["__proto__"]);
    expect([...outputs]).toMatchObject([["__proto__", { data: Float32Array.of(7) }]]);
    expect([...(await predict("proto", [fp32("x", [1], 7)])).keys()]).toEqual(["__proto__", "constructor"]);
  });

  it("an input with a default may be left out, and set", async () => {
    const x = fp32("x", [2, 2], 1, 2, 3, 4);
    expect((await predict("default", [x])).get("y")?.data).toEqual(Float32Array.of(3, 6, 9, 12));
    const set = await predict("default", [x, fp32("factor", [2, 1], 10, -1)]);
    expect(set.get("y")?.data).toEqual(Float32Array.of(10, 20, -3, -4));
    const { scores } = await clients[protocol].predict({ modelName: "default", features: [1, 2] });
    expect(scores).toEqual([]);
  });

  it("scalars are one run", async () => {
    const on: TensorData = { name: "on", datatype: "BOOL", shape: [], data: Uint8Array.of(1) };
    expect((await predict("scalar", [fp32("x", [], 5), on])).get("y")).toMatchObject({
      shape: [],
      data: Float32Array.of(-5),
    });
  });

  it("rows that influence each other are one run, even beyond max_batch_size", async () => {
    const calls = [6, 1, 9].map(async (rows) => {
      const zeros = Array.from({ length: rows }, () => 0);
      const { data } = (await predict("coupled", [fp32("x", [rows, 1], ...zeros)])).get("y")!;
      for (const value of data) expect(value).toBeCloseTo(1 / rows, 6);
    });
    await Promise.all(calls);
  });

  it("a model that declares no shape takes any", async () => {
    for (const shape of [[], [3], [2, 1, 2]]) {
      const count = shape.reduce((product, length) => product * length, 1);
      const x = fp32("x", shape, ...Array.from({ length: count }, (_, i) => i + 1));
      expect((await predict("any", [x])).get("y")).toMatchObject({ shape });
    }
  });

  it("rows take half precision, booleans and the table's spelling", async () => {
    const { outputs } = await clients[protocol].predict({
      modelName: "columns",
      rows: [
        { "how-tall-now": 1.5, "is-old": true },
        { "how-tall now": -0.25, is_old: false },
      ],
      outputNames: ["*"],
    });
    expect(outputs.map(fromMessage)).toMatchObject([
      { name: "t", datatype: "FP16", data: Uint16Array.of(0x3e00, 0xb400) },
      { name: "o", datatype: "BOOL", data: Uint8Array.of(1, 0) },
    ]);
  });

  it("zero rows have zero answers", async () => {
    const { scores, labels, outputs } = await clients[protocol].predict({
      modelName: "classes",
      inputs: [toMessage(fp32("X", [0, 4]))],
      outputNames: ["*"],
    });
    expect({ scores, labels }).toEqual({ scores: [], labels: [] });
    expect(outputs.map(({ shape }) => shape.map(Number))).toEqual([[0], [0, 3]]);
  });

  it("a row that the model cannot take fails its caller alone", async () => {
    const at = (...values: bigint[]): TensorData => ({
      name: "at",
      datatype: "INT64",
      shape: [values.length],
      data: BigInt64Array.from(values),
    });
    const calls = Array.from({ length: 24 }, (_, caller) => predict("lookup", [at(caller === 5 ? 99n : 2n)]));
    const settled = await Promise.allSettled(calls);
    for (const [caller, result] of settled.entries()) {
      if (result.status === "fulfilled") expect(result.value.get("value")?.data).toEqual(Float32Array.of(12));
      else expect(caller).toBe(5);
    }
    const failure = (settled[5] as PromiseRejectedResult).reason as ConnectError;
    expect(failure).toBeInstanceOf(ConnectError);
    expect(failure.rawMessage).toMatch(/the model cannot take these rows: .*out of data bounds/);
    expect(failure.rawMessage).not.toMatch(/\.cc|onnxruntime/);
  });

  it.each([
    ["than memory", 2n ** 45n, /the model failed on these rows/],
    ["than one run may return", 2n ** 27n, /the outputs take \d+ bytes, more than/],
  ])("an output larger %s fails its caller alone", async (_, count, pattern) => {
    const shape = (length: bigint): TensorData => ({
      name: "shape",
      datatype: "INT64",
      shape: [1],
      data: BigInt64Array.of(length),
    });
    const [small, large, other] = await Promise.allSettled([
      predict("zeros", [shape(3n)]),
      predict("zeros", [shape(count)]),
      predict("zeros", [shape(2n)]),
    ]);
    expect((large as PromiseRejectedResult).reason.rawMessage).toMatch(pattern);
    for (const [call, length] of [
      [small, 3],
      [other, 2],
    ] as const) {
      expect((call as PromiseFulfilledResult<Map<string, TensorData>>).value.get("y")?.shape).toEqual([
        length,
      ]);
    }
  });

  it.each([
    ["damaged", /golden rows, case 0: output "output_probability", row 0/],
    ["pickle", /Python pickle/],
  ])("%s is not served, and says why", async (modelName, pattern) => {
    const failure = await clients[protocol].predict({ modelName, features: [1] }).then(
      () => undefined,
      (cause: ConnectError) => cause,
    );
    expect(failure?.code).not.toBe(Code.Internal);
    expect(failure?.rawMessage).toMatch(pattern);
  });
});

it("each model is served as it was found to be", () => {
  const models = new Map(server.app.models().map((model) => [model.modelName, model]));
  expect(models.get("coupled")?.batching).toBe(BatchingMode.WITHIN_REQUEST);
  expect(models.get("scalar")?.batching).toBe(BatchingMode.NO_BATCH_DIMENSION);
  expect(models.get("default")?.batching).toBe(BatchingMode.ACROSS_REQUESTS);
  expect(models.get("default")?.repairs.map(({ kind }) => kind)).toEqual([
    "default_input_opened",
    "batch_dimension_opened",
  ]);
  expect(models.get("damaged")?.state).toBe(ModelState.FAILED);
});
