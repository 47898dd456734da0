/** Models of trees, made here, so that a run needs no file: their inputs are rows of floats in [0, 1). */
import { buildModel, node, tensorInfo } from "../../test/support/models/model-builder.ts";

/** The size of an ensemble. */
export interface TreeShape {
  readonly trees: number;
  /** Leaves of each tree. */
  readonly leaves: number;
  /** The deepest that a leaf may lie; default: any. */
  readonly depth?: number;
  readonly columns: number;
  /** 1: a regression, a weight a leaf; 2: two targets, both in each leaf, as a forest has; more: a class a tree, in turn. */
  readonly classes: number;
}

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

/** An ensemble whose trees are grown leaf by leaf where most rows fall, over an input `features`. */
export function grownModel(shape: TreeShape): Uint8Array {
  const random = seeded(7);
  const lists = new NodeLists(shape.classes > 2 ? "class" : "target");
  for (let tree = 0; tree < shape.trees; tree++) growTree(tree, shape, random, lists);
  const isClassifier = shape.classes > 2;
  const classes = Array.from({ length: shape.classes }, (_, place) => BigInt(place));
  const attributes = {
    ...lists.attributes,
    ...(isClassifier ? { classlabels_int64s: classes } : { n_targets: BigInt(shape.classes) }),
    post_transform: isClassifier ? "SOFTMAX" : "NONE",
  };
  return buildModel({
    inputs: [tensorInfo("features", "FLOAT", ["N", shape.columns])],
    outputs: [
      ...(isClassifier ? [tensorInfo("label", "INT64", ["N"])] : []),
      tensorInfo("score", "FLOAT", ["N", shape.classes]),
    ],
    nodes: [
      node(
        isClassifier ? "TreeEnsembleClassifier" : "TreeEnsembleRegressor",
        ["features"],
        isClassifier ? ["label", "score"] : ["score"],
        attributes,
        "ai.onnx.ml",
      ),
    ],
  });
}

/** The lists of an ensemble's attributes. */
class NodeLists {
  readonly attributes: Record<string, bigint[] | number[] | string[]>;
  readonly #kind: string;

  constructor(kind: "class" | "target") {
    this.#kind = kind;
    this.attributes = {
      nodes_treeids: [],
      nodes_nodeids: [],
      nodes_featureids: [],
      nodes_values: [],
      nodes_modes: [],
      nodes_truenodeids: [],
      nodes_falsenodeids: [],
      [`${kind}_treeids`]: [],
      [`${kind}_nodeids`]: [],
      [`${kind}_ids`]: [],
      [`${kind}_weights`]: [],
    };
  }

  node(tree: number, id: number, split: Split | undefined): void {
    this.#push("nodes_treeids", BigInt(tree));
    this.#push("nodes_nodeids", BigInt(id));
    this.#push("nodes_featureids", BigInt(split?.column ?? 0));
    this.#push("nodes_values", split?.at ?? 0);
    this.#push("nodes_modes", split === undefined ? "LEAF" : "BRANCH_LEQ");
    this.#push("nodes_truenodeids", BigInt(split?.left ?? 0));
    this.#push("nodes_falsenodeids", BigInt(split === undefined ? 0 : split.left + 1));
  }

  weight(tree: number, id: number, target: number, weight: number): void {
    this.#push(`${this.#kind}_treeids`, BigInt(tree));
    this.#push(`${this.#kind}_nodeids`, BigInt(id));
    this.#push(`${this.#kind}_ids`, BigInt(target));
    this.#push(`${this.#kind}_weights`, weight);
  }

  #push(name: string, value: bigint | number | string): void {
    (this.attributes[name] as (bigint | number | string)[]).push(value);
  }
}

interface Split {
  readonly column: number;
  readonly at: number;
  readonly left: number;
}

interface Leaf {
  readonly id: number;
  /** The share of rows that reach it. */
  readonly share: number;
  readonly depth: number;
  /** What is left of the ranges of columns that were split. */
  readonly ranges: ReadonlyMap<number, readonly [from: number, to: number]>;
  /** How much is gained by splitting it. */
  readonly gain: number;
}

function growTree(tree: number, shape: TreeShape, random: () => number, lists: NodeLists): void {
  const splits = new Map<number, Split>();
  const leaf = (part: Omit<Leaf, "gain">): Leaf => ({
    ...part,
    // Gain falls with the rows of a leaf and varies between leaves.
    gain: part.depth === shape.depth ? 0 : part.share * (0.25 + random()),
  });
  const leaves = [leaf({ id: 0, share: 1, depth: 0, ranges: new Map() })];
  let ids = 1;
  while (leaves.length < shape.leaves) {
    const best = leaves.reduce((most, one, place) => (one.gain > leaves[most]!.gain ? place : most), 0);
    const [chosen] = leaves.splice(best, 1);
    const { id, share, depth, ranges } = chosen!;
    const column = Math.floor(random() * shape.columns);
    const [from, to] = ranges.get(column) ?? [0, 1];
    const part = 0.2 + 0.6 * random();
    const at = Math.fround(from + (to - from) * part);
    splits.set(id, { column, at, left: ids });
    const child = (place: number, ofRows: number, range: readonly [number, number]): Leaf =>
      leaf({
        id: ids + place,
        share: share * ofRows,
        depth: depth + 1,
        ranges: new Map(ranges).set(column, range),
      });
    leaves.push(child(0, part, [from, at]), child(1, 1 - part, [at, to]));
    ids += 2;
  }
  for (let id = 0; id < ids; id++) {
    const split = splits.get(id);
    lists.node(tree, id, split);
    if (split !== undefined) continue;
    const targets = shape.classes === 2 ? [0, 1] : [shape.classes === 1 ? 0 : tree % shape.classes];
    for (const target of targets) lists.weight(tree, id, target, Math.fround((random() - 0.5) / 5));
  }
}
