/** The models of the stream benchmarks: made here, so that a run needs no file. Their inputs are rows of 30 floats in [0, 1). */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildModel, node, storedTensor, tensorInfo } from "../test/support/models/model-builder.ts";

/** Columns of every bench model. */
export const COLUMNS = 30;
const TREES = 200;
const LEAVES = 31;

/** The same numbers in every run: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** 200 trees of 31 leaves, grown leaf by leaf where most rows fall, as LightGBM's defaults do. */
export function treeModel(): Uint8Array {
  const random = seeded(7);
  const columns = {
    nodes_treeids: [] as bigint[],
    nodes_nodeids: [] as bigint[],
    nodes_featureids: [] as bigint[],
    nodes_values: [] as number[],
    nodes_modes: [] as string[],
    nodes_truenodeids: [] as bigint[],
    nodes_falsenodeids: [] as bigint[],
    target_treeids: [] as bigint[],
    target_nodeids: [] as bigint[],
    target_ids: [] as bigint[],
    target_weights: [] as number[],
  };
  for (let tree = 0; tree < TREES; tree++) growTree(BigInt(tree), random, columns);
  return buildModel({
    inputs: [tensorInfo("features", "FLOAT", ["N", COLUMNS])],
    outputs: [tensorInfo("score", "FLOAT", ["N", 1])],
    nodes: [
      node(
        "TreeEnsembleRegressor",
        ["features"],
        ["score"],
        { ...columns, n_targets: 1n, post_transform: "NONE" },
        "ai.onnx.ml",
      ),
    ],
  });
}

interface Leaf {
  readonly id: number;
  /** The share of rows that reach it. */
  readonly share: number;
  /** What is left of each column's range. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

function growTree(tree: bigint, random: () => number, columns: TreeColumns): void {
  const splits = new Map<number, { feature: number; at: number; left: number }>();
  const whole = Array.from({ length: COLUMNS }, () => [0, 1] as const);
  let leaves: Leaf[] = [{ id: 0, share: 1, ranges: whole }];
  let ids = 1;
  while (leaves.length < LEAVES) {
    // Gain falls with the rows of a leaf and varies between leaves.
    const weights = leaves.map((leaf) => leaf.share * (0.25 + random()));
    const leaf = leaves[weights.indexOf(Math.max(...weights))]!;
    const feature = Math.floor(random() * COLUMNS);
    const [from, to] = leaf.ranges[feature]!;
    const part = 0.2 + 0.6 * random();
    const at = Math.fround(from + (to - from) * part);
    splits.set(leaf.id, { feature, at, left: ids });
    const child = (id: number, share: number, range: readonly [number, number]): Leaf => ({
      id,
      share: leaf.share * share,
      ranges: leaf.ranges.with(feature, range),
    });
    leaves = leaves.filter((one) => one !== leaf);
    leaves.push(child(ids, part, [from, at]), child(ids + 1, 1 - part, [at, to]));
    ids += 2;
  }
  for (let id = 0; id < ids; id++) {
    const split = splits.get(id);
    columns.nodes_treeids.push(tree);
    columns.nodes_nodeids.push(BigInt(id));
    columns.nodes_featureids.push(BigInt(split?.feature ?? 0));
    columns.nodes_values.push(split?.at ?? 0);
    columns.nodes_modes.push(split === undefined ? "LEAF" : "BRANCH_LEQ");
    columns.nodes_truenodeids.push(BigInt(split?.left ?? 0));
    columns.nodes_falsenodeids.push(BigInt(split === undefined ? 0 : split.left + 1));
    if (split !== undefined) continue;
    columns.target_treeids.push(tree);
    columns.target_nodeids.push(BigInt(id));
    columns.target_ids.push(0n);
    columns.target_weights.push(Math.fround((random() - 0.5) / 5));
  }
}

interface TreeColumns {
  readonly nodes_treeids: bigint[];
  readonly nodes_nodeids: bigint[];
  readonly nodes_featureids: bigint[];
  readonly nodes_values: number[];
  readonly nodes_modes: string[];
  readonly nodes_truenodeids: bigint[];
  readonly nodes_falsenodeids: bigint[];
  readonly target_treeids: bigint[];
  readonly target_nodeids: bigint[];
  readonly target_ids: bigint[];
  readonly target_weights: number[];
}

/** A logistic regression: nearly nothing to compute, so that everything else shows. */
export function logisticModel(): Uint8Array {
  const random = seeded(11);
  const weights = Float32Array.from({ length: COLUMNS }, () => random() - 0.5);
  return buildModel({
    inputs: [tensorInfo("features", "FLOAT", ["N", COLUMNS])],
    outputs: [tensorInfo("score", "FLOAT", ["N", 1])],
    nodes: [node("MatMul", ["features", "weights"], ["sum"]), node("Sigmoid", ["sum"], ["score"])],
    initializers: [storedTensor("weights", [COLUMNS, 1], weights)],
  });
}

/** `rowCount` rows, all different. */
export function benchRows(rowCount: number): Float32Array {
  const random = seeded(3);
  return Float32Array.from({ length: rowCount * COLUMNS }, random);
}

/** A model repository with both, `gbdt30` and `lr30`, in a folder of its own; whoever asked for it removes it. */
export function benchRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), "assay-bench-"));
  for (const [name, bytes] of [
    ["gbdt30", treeModel()],
    ["lr30", logisticModel()],
  ] as const) {
    mkdirSync(join(folder, name, "1"), { recursive: true });
    writeFileSync(join(folder, name, "1", "model.onnx"), bytes);
  }
  return folder;
}
