import { expect, test } from "vitest";
import type { NodeProto } from "../../../../gen/onnx/onnx-ml_pb.ts";
import { readTreeGraph } from "../../../../src/model/trees/tree-graph.ts";
import { openBareSession } from "../../../support/models/bare-session.ts";
import { buildModel, node, storedTensor, tensorInfo } from "../../../support/models/model-builder.ts";

/** One tree of one branch over the first of the columns: 1 up to 3, else 2. */
function stump(input: string, output: string, changes: Parameters<typeof node>[3] = {}): NodeProto {
  const attributes = {
    nodes_treeids: [7n, 7n, 7n],
    nodes_nodeids: [5n, 1n, 2n],
    nodes_featureids: [0n, 0n, 0n],
    nodes_values: [3, 0, 0],
    nodes_modes: ["BRANCH_LEQ", "LEAF", "LEAF"],
    nodes_truenodeids: [1n, 0n, 0n],
    nodes_falsenodeids: [2n, 0n, 0n],
    target_treeids: [7n, 7n],
    target_nodeids: [2n, 1n],
    target_ids: [0n, 0n],
    target_weights: [2, 1],
    n_targets: 1n,
    ...changes,
  };
  return node("TreeEnsembleRegressor", [input], [output], attributes, "ai.onnx.ml");
}

function modelOf(nodes: readonly NodeProto[], outputs: readonly string[] = ["y"], columns = 2): Uint8Array {
  return buildModel({
    inputs: [tensorInfo("x", "FLOAT", ["N", columns])],
    outputs: outputs.map((name) => tensorInfo(name, "FLOAT", ["N", 1])),
    nodes,
    initializers: [
      storedTensor("half", [], Float32Array.of(0.5)),
      storedTensor("many", [2], Float32Array.of(1, 2)),
    ],
  });
}

test("an ensemble that is the whole graph is read with its nodes by whatever numbers they have", () => {
  const bytes = modelOf([stump("x", "y")]);
  const graph = readTreeGraph(bytes);
  expect(graph).toMatchObject({ input: "x", inputType: 1, columnCount: 2, head: undefined, rest: bytes });
  expect(graph.outputs).toEqual([{ name: "y", source: "scores", steps: [] }]);
  expect(graph.ensemble).toMatchObject({
    roots: [0],
    targetCount: 1,
    leafWeights: {
      leaves: Float64Array.of(2, 1),
      targets: Float64Array.of(0, 0),
      weights: Float64Array.of(2, 1),
    },
    nodes: { modes: ["LEQ", "LEAF", "LEAF"], trueChildren: Float64Array.of(1, -1, -1) },
  });
});

test("steps behind the trees come in the order in which they are taken", () => {
  const { outputs } = readTreeGraph(
    modelOf([
      stump("x", "raw"),
      node("Mul", ["half", "raw"], ["scaled"]),
      node("Identity", ["scaled"], ["same"]),
      node("Cast", ["same"], ["y"], { to: 11n }),
    ]),
  );
  const steps = [
    { kind: "multiply", factor: 0.5 },
    { kind: "cast", elementType: 11 },
  ];
  expect(outputs).toEqual([{ name: "y", source: "scores", steps }]);
});

test("a Reshape to axes that are known is a step, and before the trees it is the rows' own shape", async () => {
  const shape = storedTensor("axes", [2], BigInt64Array.of(0n, 2n));
  const rows = (target: string, input = ["N", 1, 2] as (string | number)[]) =>
    buildModel({
      inputs: [tensorInfo("x", "FLOAT", input)],
      outputs: [tensorInfo("y", "FLOAT", ["N", 1])],
      nodes: [
        node("Reshape", ["x", target], ["flat"]),
        stump("flat", "raw"),
        node("Reshape", ["raw", "flat_axes"], ["y"]),
      ],
      initializers: [
        shape,
        storedTensor("flat_axes", [3], BigInt64Array.of(-1n, 1n, 1n)),
        storedTensor("open_axes", [2], BigInt64Array.of(0n, -1n)),
      ],
    });
  const graph = readTreeGraph(rows("axes"));
  expect(graph).toMatchObject({ input: "flat", fedInput: "x", columnCount: 2, head: undefined });
  expect(graph.outputs[0]?.steps).toEqual([{ kind: "reshape", target: [-1, 1, 1] }]);
  const rest = await openBareSession(graph.rest);
  const run = await rest.run([
    { name: "flat", datatype: "FP32", shape: [1, 2], data: Float32Array.of(1, 0) },
  ]);
  expect(run[0]?.shape).toEqual([1, 1, 1]);
  await rest.release();
  expect(readTreeGraph(rows("open_axes"))).toMatchObject({
    fedInput: undefined,
    head: { outputNames: ["flat"] },
  });
});

test("division by a number and the exponential are steps, division of a number by scores is none", () => {
  const divided = (inputs: string[]) =>
    modelOf([stump("x", "raw"), node("Div", inputs, ["some"]), node("Exp", ["some"], ["y"])]);
  expect(readTreeGraph(divided(["raw", "half"])).outputs[0]?.steps).toEqual([
    { kind: "divide", divisor: 0.5 },
    { kind: "exponentiate" },
  ]);
  expect(() => readTreeGraph(divided(["half", "raw"]))).toThrow("Div stands behind the trees");
});

test("what stands before the trees and what stands behind them become models of their own", async () => {
  const nodes = [
    node("Mul", ["x", "half"], ["halved"]),
    stump("halved", "y"),
    node("Neg", ["halved"], ["z"]),
  ];
  const graph = readTreeGraph(modelOf(nodes, ["y", "z"]));
  expect(graph.head?.outputNames).toEqual(["halved", "z"]);
  const rows = { name: "x", datatype: "FP32" as const, shape: [2, 2], data: Float32Array.of(6, 0, 8, 0) };
  const head = await openBareSession(graph.head!.bytes);
  expect((await head.run([rows])).map(({ name, data }) => [name, [...(data as Float32Array)]])).toEqual([
    ["halved", [3, 0, 4, 0]],
    ["z", [-3, -0, -4, -0]],
  ]);
  const rest = await openBareSession(graph.rest);
  expect(
    (await rest.run([{ ...rows, name: "halved" }])).map(({ data }) => [...(data as Float32Array)]),
  ).toEqual([[2, 2]]);
  await Promise.all([head.release(), rest.release()]);
});

test.each<[string, Uint8Array, string]>([
  [
    "another operator",
    modelOf([stump("x", "raw"), node("Sin", ["raw"], ["y"])]),
    "Sin stands behind the trees",
  ],
  [
    "a factor for each column",
    modelOf([stump("x", "raw"), node("Mul", ["raw", "many"], ["y"])]),
    "Mul stands behind the trees",
  ],
  [
    "two ensembles",
    modelOf([stump("x", "a"), stump("x", "b"), node("Add", ["a", "b"], ["y"])]),
    "the graph has 2 ensembles of trees",
  ],
  [
    "columns that rows do not have",
    modelOf([stump("x", "y", { nodes_featureids: [2n, 0n, 0n] })]),
    "the trees read 3 columns of 2",
  ],
  [
    "a branch to nowhere",
    modelOf([stump("x", "y", { nodes_falsenodeids: [9n, 0n, 0n] })]),
    "tree 7 has no node 9",
  ],
  [
    "lists of different lengths",
    modelOf([stump("x", "y", { nodes_values: [3, 0] })]),
    "the lists of nodes differ in length",
  ],
  [
    "a mode of another library",
    modelOf([stump("x", "y", { nodes_modes: ["BRANCH_MAYBE", "LEAF", "LEAF"] })]),
    'the node mode "BRANCH_MAYBE" is none of ONNX\'s',
  ],
])("%s is refused", (_, bytes, message) => {
  expect(() => readTreeGraph(bytes)).toThrow(message);
});
