import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { expect, onTestFinished, test } from "vitest";
import { ModelService } from "../../../gen/assay/v1/model_service_pb.ts";
import type { TreeKernelUse } from "../../../src/model/prepared-model.ts";
import { createPool, type PoolOptions } from "../../../src/pool/create-pool.ts";
import { runTensors } from "../../../src/pool/pool.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";
import { fileFolder } from "../../support/folders.ts";
import { openPreparedSession } from "../../support/models/bare-session.ts";
import { buildModel, node, storedTensor, tensorInfo } from "../../support/models/model-builder.ts";
import { prepared } from "../../support/models/prepare.ts";
import { randomTreeModel } from "../../support/models/random-trees.ts";
import { silentLog } from "../../support/servers/silent-log.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const EXPORT = "test/data/exports/models/bank-xgb";

/** Two trees, one of which sees a scaled column and tells a class by a text, behind a head and before a tail. */
const piped = buildModel({
  inputs: [tensorInfo("x", "FLOAT", ["N", 2]), tensorInfo("text", "STRING", ["N", 1])],
  outputs: [
    tensorInfo("label", "STRING", ["N"]),
    tensorInfo("scores", "FLOAT", ["N", 2]),
    tensorInfo("seen", "FLOAT", ["N", 2]),
  ],
  nodes: [
    node("Scaler", ["x"], ["scaled"], { offset: [1, 0], scale: [2, 1] }, "ai.onnx.ml"),
    node("OneHotEncoder", ["text"], ["hot"], { cats_strings: ["a", "b"], zeros: 1n }, "ai.onnx.ml"),
    node("Reshape", ["hot", "two"], ["flat"]),
    node("Concat", ["scaled", "flat"], ["row"], { axis: 1n }),
    node(
      "TreeEnsembleClassifier",
      ["row"],
      ["number", "raw"],
      {
        nodes_treeids: [0n, 0n, 0n, 1n, 1n, 1n],
        nodes_nodeids: [0n, 1n, 2n, 0n, 1n, 2n],
        nodes_featureids: [0n, 0n, 0n, 2n, 0n, 0n],
        nodes_values: [3, 0, 0, 0.5, 0, 0],
        nodes_modes: ["BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LT", "LEAF", "LEAF"],
        nodes_truenodeids: [1n, 0n, 0n, 1n, 0n, 0n],
        nodes_falsenodeids: [2n, 0n, 0n, 2n, 0n, 0n],
        class_treeids: [0n, 0n, 1n, 1n],
        class_nodeids: [1n, 2n, 1n, 2n],
        class_ids: [0n, 0n, 0n, 0n],
        class_weights: [-0.75, 1.25, 0.5, -1.5],
        classlabels_int64s: [4n, 5n],
        post_transform: "LOGISTIC",
      },
      "ai.onnx.ml",
    ),
    node("Cast", ["number"], ["label"], { to: 8n }),
    node("Mul", ["raw", "half"], ["scores"]),
    node("Identity", ["scaled"], ["seen"]),
  ],
  initializers: [
    storedTensor("two", [2], BigInt64Array.of(-1n, 2n)),
    storedTensor("half", [1], Float32Array.of(0.5)),
  ],
});

const pipedRows: TensorData[] = [
  { name: "x", datatype: "FP32", shape: [3, 2], data: Float32Array.of(2.5, 0, 2.5001, 1, Number.NaN, 2) },
  { name: "text", datatype: "BYTES", shape: [3, 1], data: ["a", "b", "c"] },
];

async function poolOf(bytes: Uint8Array, options: Partial<PoolOptions> = {}) {
  const model = prepared(bytes);
  const devices = [{ provider: "cpu" as const, deviceId: 0 }];
  const pool = await createPool({ model, devices, log: silentLog, treeRows: [], ...options });
  onTestFinished(() => pool.close());
  return { model, pool, use: pool.instances[0]!.treeKernel };
}

test.each(["thread", "process"] as const)(
  "trees between a head and a tail answer as ONNX Runtime does, in a %s",
  async (isolation) => {
    const { model, pool, use } = await poolOf(piped, { isolation, treeRows: [pipedRows] });
    expect(use).toEqual({
      isUsed: true,
      reason: "2 trees give what ONNX Runtime gives; ONNX Runtime runs what stands before them",
    });
    const bare = await openPreparedSession(model);
    onTestFinished(() => bare.release());
    const expected = await bare.run(pipedRows);
    expect(expected[0]?.data).toEqual(["4", "5", "5"]);
    expect(await runTensors(pool, pipedRows)).toEqual(expected);
  },
);

test("a session of many threads runs the trees where it is the faster one, and either answers the same", async () => {
  const { model, pool, use } = await poolOf(piped, { intraOpThreads: 3 });
  if (use?.isUsed !== true) expect(use).toEqual({ isUsed: false, reason: "its threads together are faster" });
  const bare = await openPreparedSession(model);
  onTestFinished(() => bare.release());
  expect(await runTensors(pool, pipedRows)).toEqual(await bare.run(pipedRows));
});

test("only the outputs that are asked for come back", async () => {
  const { pool } = await poolOf(piped);
  const outputs = await new Promise<string[]>((resolve, reject) => {
    pool.run({
      inputs: pipedRows,
      outputNames: ["scores"],
      write(memory) {
        (memory.numeric(0) as Float32Array).set(pipedRows[0]!.data as Float32Array);
        memory.appendStrings(1, ["a", "b", "c"]);
      },
      onOutputs: (tensors) => resolve(tensors.map(({ name }) => name)),
      onError: reject,
    });
  });
  expect(outputs).toEqual(["scores"]);
});

async function useOf(bytes: Uint8Array): Promise<TreeKernelUse | undefined> {
  return (await poolOf(bytes)).use;
}

test("what is not like ONNX Runtime in the last digits, or not simple, stays with ONNX Runtime and says why", async () => {
  const named = { operator: "TreeEnsembleRegressor", inputType: "FLOAT", targetCount: 1 } as const;
  const probit = randomTreeModel(1, { ...named, postTransform: "PROBIT" as "NONE" });
  expect(await useOf(probit.bytes)).toEqual({
    isUsed: false,
    reason: "PROBIT differs in more than the last digits",
  });
  const tail = buildModel({
    inputs: [tensorInfo("x", "FLOAT", ["N", 1])],
    outputs: [tensorInfo("y", "FLOAT", ["N", 1])],
    nodes: [stump("x", "raw"), node("Sin", ["raw"], ["y"])],
  });
  expect(await useOf(tail)).toEqual({ isUsed: false, reason: "Sin stands behind the trees" });
  const two = buildModel({
    inputs: [tensorInfo("x", "FLOAT", ["N", 1])],
    outputs: [tensorInfo("y", "FLOAT", ["N", 1]), tensorInfo("z", "FLOAT", ["N", 1])],
    nodes: [stump("x", "y"), stump("x", "z")],
  });
  expect(await useOf(two)).toEqual({ isUsed: false, reason: "the graph has 2 ensembles of trees" });
});

test("a set that ONNX Runtime tests otherwise than its members say stays with ONNX Runtime", async () => {
  // ONNX Runtime takes 3.5 for a member.
  const members = Float32Array.of(-4, 3, Number.NaN);
  const bytes = buildModel({
    opsets: { "": 17, "ai.onnx.ml": 5 },
    inputs: [tensorInfo("x", "FLOAT", ["N", 1])],
    outputs: [tensorInfo("y", "FLOAT", ["N", 1])],
    nodes: [
      node(
        "TreeEnsemble",
        ["x"],
        ["y"],
        {
          tree_roots: [0n],
          nodes_featureids: [0n],
          nodes_splits: storedTensor("splits", [1], Float32Array.of(0)),
          nodes_modes: storedTensor("modes", [1], Uint8Array.of(6)),
          nodes_truenodeids: [0n],
          nodes_trueleafs: [1n],
          nodes_falsenodeids: [1n],
          nodes_falseleafs: [1n],
          leaf_targetids: [0n, 0n],
          leaf_weights: storedTensor("weights", [2], Float32Array.of(1, 2)),
          membership_values: storedTensor("members", [3], members),
          n_targets: 1n,
        },
        "ai.onnx.ml",
      ),
    ],
  });
  expect(await useOf(bytes)).toEqual({
    isUsed: false,
    reason: 'generated rows come out different: output "y" of a row is 1, not 2',
  });
});

function stump(input: string, output: string) {
  return node(
    "TreeEnsembleRegressor",
    [input],
    [output],
    {
      nodes_treeids: [0n, 0n, 0n],
      nodes_nodeids: [0n, 1n, 2n],
      nodes_featureids: [0n, 0n, 0n],
      nodes_values: [3, 0, 0],
      nodes_modes: ["BRANCH_LEQ", "LEAF", "LEAF"],
      nodes_truenodeids: [1n, 0n, 0n],
      nodes_falsenodeids: [2n, 0n, 0n],
      target_treeids: [0n, 0n],
      target_nodeids: [1n, 2n],
      target_ids: [0n, 0n],
      target_weights: [1, 2],
      n_targets: 1n,
    },
    "ai.onnx.ml",
  );
}

test("GetModel says what runs a model's trees, and config.json keeps them with ONNX Runtime", async () => {
  const folder = fileFolder();
  for (const name of ["auto", "off"]) cpSync(EXPORT, join(folder, name), { recursive: true });
  writeFileSync(join(folder, "off/1/config.json"), JSON.stringify({ tree_kernel: "OFF" }));
  mkdirSync(join(folder, "iris"));
  cpSync("models/iris/1", join(folder, "iris/1"), { recursive: true });
  const server = await fileServer(folder);
  const client = createClient(
    ModelService,
    createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" }),
  );
  const useOfModel = async (modelName: string) => (await client.getModel({ modelName })).model?.treeKernel;
  expect(await useOfModel("auto")).toMatchObject({
    used: true,
    reason: "30 trees give what ONNX Runtime gives",
  });
  expect(await useOfModel("off")).toBeUndefined();
  expect(await useOfModel("iris")).toBeUndefined();
});
