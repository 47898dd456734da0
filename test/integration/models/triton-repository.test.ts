import { expect, test } from "vitest";
import { type Model, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import type { Log } from "../../../src/telemetry/log.ts";
import { fileFolder } from "../../support/folders.ts";
import { buildModel, node, storedTensor, tensorInfo } from "../../support/models/model-builder.ts";
import { silentLog } from "../../support/servers/silent-log.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";
import { doublingConfig, doublingModel, writeFiles } from "../../support/triton/triton-folder.ts";

const root = fileFolder();

/** `y = -x` over `[N]`, `[N, 1, 2]` and `[N, S, 1, 2]`, which callers see in other shapes; `m` is `y` beside the rows. */
function negation(...tail: (number | null)[]): Uint8Array {
  return buildModel({
    inputs: [tensorInfo("x", "FLOAT", [null, ...tail])],
    outputs: [tensorInfo("y", "FLOAT", [null, ...tail])],
    nodes: [node("Neg", ["x"], ["y"])],
  });
}
const reshaped = (dims: string, shape: string) =>
  ["input", "output"]
    .map(
      (role) =>
        `${role} { name: "${role === "input" ? "x" : "y"}" data_type: TYPE_FP32 dims: [ ${dims} ] reshape { shape: [ ${shape} ] } }`,
    )
    .join("\n");

/** Refuses rows of zeros, so that a first run shows whether it came, and with which values. */
const needsOnes = buildModel({
  inputs: [tensorInfo("x", "INT64", [null, 1])],
  outputs: [tensorInfo("y", "FLOAT", [null, 1])],
  nodes: [node("Gather", ["table", "x"], ["y"])],
  initializers: [storedTensor("table", [2], Float32Array.of(10, 20))],
});
const warmup = (data: string, more = "") =>
  `max_batch_size: 4 model_warmup [ { name: "first" batch_size: 2 ${more} inputs { key: "x" value { data_type: TYPE_INT64 dims: 1 ${data} } } } ]`;

const int64 = (value: bigint) => new Uint8Array(BigInt64Array.of(value).buffer);
const scores = buildModel({
  inputs: [tensorInfo("x", "FLOAT", [null, 2])],
  outputs: [tensorInfo("probabilities", "FLOAT", [null, 2])],
  nodes: [node("Softmax", ["x"], ["probabilities"], { axis: 1n })],
});

writeFiles(root, {
  "plain/config.pbtxt": doublingConfig(
    "parameters { key: 'a' value { string_value: 'b' } } optimization { priority: PRIORITY_MAX }",
  ),
  "plain/1/model.onnx": doublingModel(),
  "plain/3/model.onnx": doublingModel(),
  "vector/config.pbtxt": `max_batch_size: 8\n${reshaped("1", "")}`,
  "vector/1/model.onnx": negation(),
  "open/config.pbtxt": `max_batch_size: 8\n${reshaped("-1, 2", "-1, 1, 2")}`,
  "open/1/model.onnx": negation(null, 1, 2),
  "scalar/config.pbtxt":
    'input { name: "x" data_type: TYPE_FP32 dims: 1 } output { name: "y" data_type: TYPE_FP32 dims: 1 }',
  "scalar/1/model.onnx": buildModel({
    inputs: [tensorInfo("x", "FLOAT", [])],
    outputs: [tensorInfo("y", "FLOAT", [])],
    nodes: [node("Neg", ["x"], ["y"])],
  }),
  "image/config.pbtxt": `platform: "onnxruntime_onnx"
    max_batch_size : 0
    input [ { name: "x" data_type: TYPE_FP32 format: FORMAT_NCHW dims: [ 2, 2 ] reshape { shape: [ 1, 2, 2 ] } } ]
    output [ { name: "y" data_type: TYPE_FP32 dims: [ 4 ] reshape { shape: [ 1, 4, 1, 1 ] } label_filename: "labels.txt" } ]`,
  "image/labels.txt": "a\nb\nc\nd",
  "image/1/model.onnx": buildModel({
    inputs: [tensorInfo("x", "FLOAT", [1, 2, 2])],
    outputs: [tensorInfo("y", "FLOAT", [1, 4, 1, 1])],
    nodes: [node("Neg", ["x"], ["minus"]), node("Reshape", ["minus", "shape"], ["y"])],
    initializers: [storedTensor("shape", [4], BigInt64Array.of(1n, 4n, 1n, 1n))],
  }),
  "warm/config.pbtxt": `${warmup("input_data_file: 'one'", "count: 3")} instance_group { count: 2 kind: KIND_CPU }`,
  "warm/warmup/one": int64(1n),
  "warm/1/model.onnx": needsOnes,
  "cold/config.pbtxt": warmup("input_data_file: 'seven'"),
  "cold/warmup/seven": int64(7n),
  "cold/1/model.onnx": needsOnes,
  "named/config.pbtxt":
    'default_model_filename: "net.onnx" max_batch_size: 4 output { name: "probabilities" data_type: TYPE_FP32 dims: 2 label_filename: "labels.txt" }',
  "named/labels.txt": "cat\r\ndog\r\n",
  "named/1/net.onnx/model.onnx": scores,
  "unlabelled/config.pbtxt":
    'output { name: "probabilities" data_type: TYPE_FP32 dims: 2 label_filename: "labels.txt" }',
  "unlabelled/1/model.onnx": scores,
  "asked/config.pbtxt": `${doublingConfig()}version_policy { specific { versions: [ 2, 5 ] } }`,
  "asked/1/model.onnx": doublingModel(),
  "asked/2/model.onnx": doublingModel(),
  "asked/old/model.onnx": doublingModel(),
  "renamed/config.pbtxt": `name: "other"\n${doublingConfig()}`,
  "renamed/1/model.onnx": doublingModel(),
  "snake/config.pbtxt": 'name: "snake"\nbackend: "python"',
  "snake/1/model.py": "",
  "steps/config.pbtxt":
    'platform: "ensemble"\nensemble_scheduling { step [ { model_name: "plain" model_version: -1 } ] }',
  "misspelt/config.pbtxt": `${doublingConfig()}\nmax_batchsize: 3`,
  "misspelt/1/model.onnx": doublingModel(),
  "both/config.pbtxt": doublingConfig("dynamic_batching { max_queue_delay_microseconds: 50 }"),
  "both/config.json": '{"max_batch_size": 2, "score_output": ""}',
  "both/1/model.onnx": doublingModel(),
});

const warnings: { model?: string; msg: string }[] = [];
const log = {
  ...silentLog,
  warn: (fields: { model?: string }, msg: string) => void warnings.push({ ...fields, msg }),
} as Log;
const server = await fileServer(root, {}, { log });
const models = new Map<string, Model>(
  server.app.models().map((model) => [`${model.modelName}/${model.modelVersion}`, model]),
);

async function predict(modelName: string, inputs: object[], outputNames = ["y"]): Promise<unknown> {
  const response = await fetch(`${server.url}/assay.v1.ScoringService/Predict`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model_name: modelName, inputs, output_names: outputNames }),
  });
  return response.json();
}
const floats = (shape: number[], ...fp32Contents: number[]) => ({
  name: "x",
  datatype: "FP32",
  shape,
  contents: { fp32Contents },
});

test("what is served and what is refused, each with its reason", () => {
  const states = [...models].map(([name, { state, stateReason }]) => [
    name,
    state === ModelState.READY || stateReason,
  ]);
  expect(Object.fromEntries(states)).toEqual({
    "asked/2": true,
    "asked/5":
      "version_policy in config.pbtxt asks for it, and there is no such folder: put it there, or take the number out",
    "both/1": true,
    "cold/1": expect.stringMatching(/^config\.pbtxt: model_warmup "first" did not run: .*indices/),
    "image/1": true,
    "misspelt/": expect.stringMatching(
      /^config\.pbtxt: line 6, column 1: max_batchsize: no such field; did you mean/,
    ),
    "named/1": true,
    "open/1": true,
    "plain/3": true,
    "renamed/":
      'config.pbtxt: line 1: name: "other" came, and the folder is called "renamed": give both one name',
    "scalar/1": true,
    "snake/": expect.stringMatching(/line 2: backend: "python" came/),
    "steps/": expect.stringMatching(/line 1: platform: "ensemble" came/),
    "unlabelled/1": expect.stringMatching(
      /^config\.pbtxt: line 1: output\[0\]\.label_filename: there is no file "labels\.txt" in ".*unlabelled": put it there/,
    ),
    "vector/1": true,
    "warm/1": true,
  });
});

test("fields without effect, and versions that are not served, are named once in the log", () => {
  const mine = warnings.filter(({ model, msg }) => model === "plain" && msg.includes("config.pbtxt"));
  expect(mine.map(({ msg }) => msg)).toEqual([
    'config.pbtxt: without effect here, answers are the same: optimization (priority) in line 5, parameters ("a") in line 5',
    "version 1 is not served: version_policy in config.pbtxt is latest 1, as it is by default",
  ]);
});

test("callers see the shapes that config.pbtxt gives, and rows are joined behind them", async () => {
  for (const name of ["vector", "open"]) expect(models.get(`${name}/1`)?.batching).toBe(1);
  expect(await predict("vector", [floats([3, 1], 1, 2, 3)])).toMatchObject({
    outputs: [{ name: "y", shape: ["3", "1"], contents: { fp32Contents: [-1, -2, -3] } }],
  });
  expect(await predict("open", [floats([1, 2, 2], 1, 2, 3, 4)])).toMatchObject({
    outputs: [{ name: "y", shape: ["1", "2", "2"], contents: { fp32Contents: [-1, -2, -3, -4] } }],
  });
  expect(await predict("scalar", [floats([1], 5)])).toMatchObject({
    outputs: [{ name: "y", shape: ["1"], contents: { fp32Contents: [-5] } }],
  });
  expect(await predict("image", [floats([2, 2], 1, 2, 3, 4)])).toMatchObject({
    outputs: [{ name: "y", shape: ["4"], contents: { fp32Contents: [-1, -2, -3, -4] } }],
  });
  expect(await predict("vector", [floats([3], 1, 2, 3)])).toMatchObject({
    message: expect.stringContaining("[-1,1]"),
  });
});

test("labels of a file name the classes", async () => {
  expect(models.get("named/1")?.outputs[0]?.labels).toEqual(["cat", "dog"]);
  expect(models.get("image/1")?.outputs[0]?.labels).toEqual(["a", "b", "c", "d"]);
  expect(await predict("named", [floats([1, 2], 1, 4)], [])).toMatchObject({
    outputs: [{ name: "probabilities" }],
  });
});

test("config.json beside it adds to config.pbtxt and has the last word", () => {
  expect(models.get("both/1")?.config).toMatchObject({
    maxBatchSize: 2,
    dynamicBatching: { maxQueueDelayMicroseconds: 50 },
  });
});

test("every instance that instance_group asks for is there", () => {
  expect(models.get("warm/1")?.devices).toEqual(["cpu:0", "cpu:1"]);
});
