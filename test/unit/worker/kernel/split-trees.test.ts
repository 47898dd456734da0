import { expect, test } from "vitest";
import { readTreeGraph } from "../../../../src/model/trees/tree-graph.ts";
import { floatBelow, numberAbove } from "../../../../src/worker/kernel/neighbour.ts";
import { splitTrees } from "../../../../src/worker/kernel/split-trees.ts";
import { buildModel, node, tensorInfo } from "../../../support/models/model-builder.ts";

/** One tree: its root's mode and value, whether a missing value takes its true branch; node 1 is the true branch. */
function treeOf(mode: string, value: number, missingIsTrue = false, children: readonly bigint[] = [1n, 2n]) {
  const attributes = {
    nodes_treeids: [0n, 0n, 0n],
    nodes_nodeids: [0n, 1n, 2n],
    nodes_featureids: [0n, 0n, 0n],
    nodes_values: [value, 0, 0],
    nodes_modes: [mode, "LEAF", "LEAF"],
    nodes_truenodeids: [children[0]!, 0n, 0n],
    nodes_falsenodeids: [children[1]!, 0n, 0n],
    nodes_missing_value_tracks_true: [missingIsTrue ? 1n : 0n, 0n, 0n],
    target_treeids: [0n, 0n],
    target_nodeids: [1n, 2n],
    target_ids: [0n, 0n],
    target_weights: [1, 2],
    n_targets: 1n,
  };
  const { ensemble } = readTreeGraph(
    buildModel({
      inputs: [tensorInfo("x", "FLOAT", ["N", 1])],
      outputs: [tensorInfo("y", "FLOAT", ["N", 1])],
      nodes: [node("TreeEnsembleRegressor", ["x"], ["y"], attributes, "ai.onnx.ml")],
    }),
  );
  const { planes, trees } = splitTrees(ensemble);
  return { plane: planes[0], threshold: trees[0]!.thresholds[0], leaves: trees[0]!.leaves };
}

test("every comparison becomes: right where greater; leaves are from left to right", () => {
  expect(treeOf("BRANCH_LEQ", 1)).toMatchObject({ threshold: 1, leaves: [1, 2] });
  expect(treeOf("BRANCH_LT", 1)).toMatchObject({ threshold: floatBelow(1), leaves: [1, 2] });
  expect(treeOf("BRANCH_GT", 1)).toMatchObject({ threshold: 1, leaves: [2, 1] });
  expect(treeOf("BRANCH_GTE", 1)).toMatchObject({ threshold: floatBelow(1), leaves: [2, 1] });
  expect(treeOf("BRANCH_EQ", 1)).toMatchObject({ plane: { kind: "flag", equals: [1] }, leaves: [2, 1] });
  expect(treeOf("BRANCH_NEQ", 1)).toMatchObject({ plane: { kind: "flag", equals: [1] }, leaves: [1, 2] });
});

test("a missing value goes where no comparison holds, or where the node says", () => {
  expect(treeOf("BRANCH_LEQ", 1).plane?.kind).toBe("high");
  expect(treeOf("BRANCH_LEQ", 1, true).plane?.kind).toBe("value");
  expect(treeOf("BRANCH_GTE", 1).plane?.kind).toBe("value");
  expect(treeOf("BRANCH_GTE", 1, true).plane?.kind).toBe("high");
  expect(treeOf("BRANCH_EQ", 1).plane?.nanIsFlag).toBe(false);
  expect(treeOf("BRANCH_EQ", 1, true).plane?.nanIsFlag).toBe(true);
});

test("a branch that only a missing value tells apart asks for that, one that nothing does is left out", () => {
  const missing = { plane: { kind: "flag", equals: [], nanIsFlag: true }, leaves: [1, 2] };
  expect(treeOf("BRANCH_LEQ", Infinity)).toMatchObject(missing);
  expect(treeOf("BRANCH_LEQ", Infinity, true)).toMatchObject({ plane: undefined, leaves: [1] });
  expect(treeOf("BRANCH_LT", -Infinity)).toMatchObject({ plane: undefined, leaves: [2] });
  expect(treeOf("BRANCH_LEQ", Number.NaN)).toMatchObject({ plane: undefined, leaves: [2] });
  expect(treeOf("BRANCH_LEQ", 1, false, [2n, 2n])).toMatchObject({ plane: undefined, leaves: [2] });
});

test("a chain of equalities that share their true branch is one set, as categories are written", () => {
  const attributes = {
    nodes_treeids: [0n, 0n, 0n, 0n, 0n],
    nodes_nodeids: [0n, 1n, 2n, 3n, 4n],
    nodes_featureids: [0n, 0n, 0n, 0n, 0n],
    nodes_values: [5, 8, 2, 0, 0],
    nodes_modes: ["BRANCH_EQ", "BRANCH_EQ", "BRANCH_EQ", "LEAF", "LEAF"],
    nodes_truenodeids: [3n, 3n, 3n, 0n, 0n],
    nodes_falsenodeids: [1n, 2n, 4n, 0n, 0n],
    target_treeids: [0n, 0n],
    target_nodeids: [3n, 4n],
    target_ids: [0n, 0n],
    target_weights: [1, 2],
    n_targets: 1n,
  };
  const { planes, trees } = splitTrees(
    readTreeGraph(
      buildModel({
        inputs: [tensorInfo("x", "FLOAT", ["N", 1])],
        outputs: [tensorInfo("y", "FLOAT", ["N", 1])],
        nodes: [node("TreeEnsembleRegressor", ["x"], ["y"], attributes, "ai.onnx.ml")],
      }),
    ).ensemble,
  );
  expect(planes).toMatchObject([{ kind: "flag", equals: [5, 8, 2] }]);
  expect(trees[0]?.leaves).toEqual([4, 3]);
});

test("branches that lead back are refused", () => {
  expect(() => treeOf("BRANCH_LEQ", 1, false, [0n, 2n])).toThrow("lead back");
  expect(() => treeOf("BRANCH_LEQ", 1, false, [0n, 0n])).toThrow("lead back");
});

test("neighbours of numbers are one last bit away, over zero and to infinity", () => {
  expect(floatBelow(0)).toBe(-(2 ** -149));
  expect(floatBelow(-0)).toBe(-(2 ** -149));
  expect(floatBelow(2 ** -149)).toBe(0);
  expect(floatBelow(1)).toBe(1 - 2 ** -24);
  expect(floatBelow(-1)).toBe(-1 - 2 ** -23);
  expect(floatBelow(-3.4028234663852886e38)).toBe(-Infinity);
  expect(numberAbove(1, true)).toBe(1 + Number.EPSILON);
  expect(numberAbove(1, false)).toBe(1 + 2 ** -23);
});
