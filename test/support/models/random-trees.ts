import type { TensorProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { buildModel, node, storedTensor, tensorInfo } from "./model-builder.ts";

/** What an ensemble is made of; every choice that is not given is drawn. */
export interface RandomTrees {
  readonly operator: "TreeEnsembleRegressor" | "TreeEnsembleClassifier" | "TreeEnsemble";
  readonly inputType: "FLOAT" | "DOUBLE" | "INT64";
  readonly postTransform: "NONE" | "SOFTMAX" | "LOGISTIC" | "SOFTMAX_ZERO";
  readonly aggregate: "SUM" | "AVERAGE" | "MIN" | "MAX";
  readonly targetCount: number;
  readonly columnCount: number;
  readonly treeCount: number;
  readonly maxLeaves: number;
  readonly modes: readonly string[];
  /** Each leaf has a weight for every target; otherwise a tree has one target. */
  readonly isDense: boolean;
  /** Of two classes, the only one with weights. */
  readonly onlyClass: number | undefined;
  readonly isPositive: boolean;
  readonly hasMissing: boolean;
  readonly baseCount: number;
  readonly labelKind: "strings" | "integers";
}

/** A model of one random ensemble, and thresholds that its rows should be near. */
export interface RandomTreeModel {
  readonly bytes: Uint8Array;
  readonly choices: RandomTrees;
  readonly thresholds: readonly number[];
}

const NAMED_MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"];
/** By number in the fifth version. */
const MODES = [...NAMED_MODES, "BRANCH_MEMBER"];
const SPECIAL = [0, -0, 1, 2, 3, 0.5, -1.5, Infinity, -Infinity, 1e-40, 3.4e38, -7];
const POST_TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"] as const;
const AGGREGATES = ["AVERAGE", "SUM", "MIN", "MAX"] as const;

type Random = () => number;

/** Numbers from 0 to 1, the same with the same seed: mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!;
}

/** A model of an ensemble that the seed draws. */
export function randomTreeModel(seed: number, given: Partial<RandomTrees> = {}): RandomTreeModel {
  const random = seededRandom(seed);
  const operator =
    given.operator ??
    pick(random, ["TreeEnsembleRegressor", "TreeEnsembleClassifier", "TreeEnsemble"] as const);
  const isClassifier = operator === "TreeEnsembleClassifier";
  const targetCount = given.targetCount ?? pick(random, isClassifier ? [2, 2, 2, 3, 5] : [1, 1, 2, 4]);
  const isFifth = operator === "TreeEnsemble";
  const choices: RandomTrees = {
    operator,
    inputType: pick(random, isClassifier ? ["FLOAT", "FLOAT", "DOUBLE", "INT64"] : ["FLOAT", "DOUBLE"]),
    postTransform: pick(random, POST_TRANSFORMS),
    aggregate: isClassifier ? "SUM" : pick(random, AGGREGATES),
    targetCount,
    columnCount: 1 + Math.floor(random() * 6),
    treeCount: 1 + Math.floor(random() * 12),
    maxLeaves: pick(random, [2, 8, 20, 60, 100]),
    modes: random() < 0.5 ? [pick(random, isFifth ? MODES : NAMED_MODES)] : NAMED_MODES,
    isDense: !isFifth && random() < 0.4,
    onlyClass: isClassifier && targetCount === 2 && random() < 0.6 ? pick(random, [0, 1]) : undefined,
    isPositive: random() < 0.4,
    hasMissing: random() < 0.5,
    baseCount: isFifth
      ? 0
      : pick(random, isClassifier ? [0, 0, targetCount === 2 ? 1 : 0, targetCount] : [0, targetCount]),
    labelKind: pick(random, ["strings", "integers"] as const),
    ...given,
  };
  const trees = Array.from({ length: choices.treeCount }, (_, tree) => growTree(tree, choices, random));
  const attributes = isFifth ? fifthAttributes(trees, choices) : namedAttributes(trees, choices, random);
  const scoreType = isFifth ? choices.inputType : "FLOAT";
  const labels = tensorInfo("labels", choices.labelKind === "strings" ? "STRING" : "INT64", ["N"]);
  const bytes = buildModel({
    opsets: isFifth ? { "": 17, "ai.onnx.ml": 5 } : { "": 17, "ai.onnx.ml": 3 },
    inputs: [tensorInfo("x", choices.inputType, ["N", choices.columnCount])],
    outputs: [...(isClassifier ? [labels] : []), tensorInfo("scores", scoreType, ["N", targetCount])],
    nodes: [
      node(operator, ["x"], isClassifier ? ["labels", "scores"] : ["scores"], attributes, "ai.onnx.ml"),
    ],
  });
  return { bytes, choices, thresholds: trees.flatMap((tree) => tree.flatMap((one) => one.values)) };
}

/** Rows near an ensemble's thresholds, with numbers that are missing or infinite where the type has such. */
export function rowsNear(
  { choices, thresholds }: RandomTreeModel,
  rowCount: number,
  random: Random,
): Float32Array | Float64Array | BigInt64Array {
  const number = (): number => {
    const chance = random();
    if (choices.inputType !== "INT64") {
      if (chance < 0.15) return Number.NaN;
      if (chance < 0.2) return pick(random, [Infinity, -Infinity]);
    }
    // Of fractions ONNX Runtime forgets the fraction where it tests sets by bits.
    if (choices.modes.includes("BRANCH_MEMBER")) return Math.floor(random() * 40) - 4;
    return chance < 0.7 && thresholds.length > 0 ? pick(random, thresholds) : (random() - 0.5) * 6;
  };
  const numbers = Array.from({ length: rowCount * choices.columnCount }, number);
  if (choices.inputType === "FLOAT") return Float32Array.from(numbers);
  if (choices.inputType === "DOUBLE") return Float64Array.from(numbers);
  return BigInt64Array.from(numbers, (one) =>
    BigInt(Number.isFinite(one) ? Math.trunc(Math.max(-1e15, Math.min(1e15, one))) : 0),
  );
}

interface GrownNode {
  readonly tree: number;
  readonly left: number;
  readonly mode: string;
  readonly feature: number;
  /** What its column is compared with; the members of a set. */
  readonly values: readonly number[];
  readonly missingIsTrue: boolean;
  /** Of leaves: a weight by target. */
  readonly weights: ReadonlyMap<number, number>;
}

function growTree(tree: number, choices: RandomTrees, random: Random): GrownNode[] {
  const lefts = new Map<number, number>();
  const leaves = [0];
  let count = 1;
  while (leaves.length < choices.maxLeaves) {
    const [leaf] = leaves.splice(Math.floor(random() * leaves.length), 1);
    lefts.set(leaf!, count);
    leaves.push(count, count + 1);
    count += 2;
  }
  const targets =
    choices.onlyClass === undefined
      ? choices.isDense
        ? Array.from({ length: choices.targetCount }, (_, target) => target)
        : [tree % choices.targetCount]
      : [choices.onlyClass];
  const value = (): number => (random() < 0.5 ? pick(random, SPECIAL) : Math.fround((random() - 0.5) * 6));
  return Array.from({ length: count }, (_, id) => {
    const left = lefts.get(id) ?? -1;
    const mode = left === -1 ? "LEAF" : pick(random, choices.modes);
    const weight = () => Math.fround(choices.isPositive ? random() / choices.treeCount : random() - 0.5);
    return {
      tree,
      left,
      mode,
      feature: Math.floor(random() * choices.columnCount),
      // ONNX Runtime takes integers only, and tests those from 1 to 32 by bits.
      values:
        mode === "BRANCH_MEMBER" ? Array.from({ length: 3 }, () => 1 + Math.floor(random() * 32)) : [value()],
      missingIsTrue: choices.hasMissing && random() < 0.5,
      weights: new Map(left === -1 ? targets.map((target) => [target, weight()]) : []),
    };
  });
}

type Attributes = Parameters<typeof node>[3] & object;

function namedAttributes(trees: readonly GrownNode[][], choices: RandomTrees, random: Random): Attributes {
  const nodes = trees.flatMap((tree) => tree.map((one, id) => ({ ...one, id })));
  const weights = nodes.flatMap((one) =>
    [...one.weights].map(([target, weight]) => ({ ...one, target, weight })),
  );
  const kind = choices.operator === "TreeEnsembleClassifier" ? "class" : "target";
  const big = (values: readonly number[]) => values.map(BigInt);
  const bases = Array.from({ length: choices.baseCount }, () => Math.fround(random() - 0.3));
  const classes = Array.from({ length: choices.targetCount }, (_, place) => place);
  const labels =
    choices.labelKind === "strings"
      ? { classlabels_strings: classes.map((place) => `class ${place}`) }
      : { classlabels_int64s: classes.map((place) => BigInt(place * 3 - 1)) };
  return {
    nodes_treeids: big(nodes.map(({ tree }) => tree)),
    nodes_nodeids: big(nodes.map(({ id }) => id)),
    nodes_featureids: big(nodes.map(({ feature }) => feature)),
    nodes_values: nodes.map(({ values }) => values[0]!),
    nodes_modes: nodes.map(({ mode }) => mode),
    nodes_truenodeids: big(nodes.map(({ left }) => Math.max(0, left))),
    nodes_falsenodeids: big(nodes.map(({ left }) => left + 1)),
    ...(choices.hasMissing
      ? { nodes_missing_value_tracks_true: big(nodes.map((one) => Number(one.missingIsTrue))) }
      : {}),
    [`${kind}_treeids`]: big(weights.map(({ tree }) => tree)),
    [`${kind}_nodeids`]: big(weights.map(({ id }) => id)),
    [`${kind}_ids`]: big(weights.map(({ target }) => target)),
    [`${kind}_weights`]: weights.map(({ weight }) => weight),
    post_transform: choices.postTransform,
    ...(bases.length > 0 ? { base_values: bases } : {}),
    ...(kind === "class"
      ? labels
      : { n_targets: BigInt(choices.targetCount), aggregate_function: choices.aggregate }),
  };
}

function fifthAttributes(trees: readonly GrownNode[][], choices: RandomTrees): Attributes {
  const branches: (GrownNode & { readonly id: number })[] = [];
  const leaves: (GrownNode & { readonly id: number })[] = [];
  const places = new Map<string, number>();
  for (const tree of trees) {
    tree.forEach((one, id) => {
      const list = one.left === -1 ? leaves : branches;
      places.set(`${one.tree} ${id}`, list.push({ ...one, id }) - 1);
    });
  }
  const child = (side: 0 | 1) =>
    branches.map(({ tree, left }) => BigInt(places.get(`${tree} ${left + side}`)!));
  const isLeaf = (side: 0 | 1) =>
    branches.map(({ tree, left }) => (trees[tree]![left + side]!.left === -1 ? 1n : 0n));
  const numbers = (name: string, values: readonly number[]): TensorProto =>
    choices.inputType === "DOUBLE"
      ? storedTensor(name, [values.length], Float64Array.from(values))
      : storedTensor(name, [values.length], Float32Array.from(values));
  const members = branches
    .filter(({ mode }) => mode === "BRANCH_MEMBER")
    .flatMap(({ values }) => [...values, NaN]);
  const modes = Uint8Array.from(branches, ({ mode }) => MODES.indexOf(mode));
  return {
    tree_roots: trees.map((_, tree) => BigInt(places.get(`${tree} 0`)!)),
    nodes_featureids: branches.map(({ feature }) => BigInt(feature)),
    nodes_splits: numbers(
      "splits",
      branches.map(({ values }) => values[0]!),
    ),
    nodes_modes: storedTensor("modes", [modes.length], modes),
    nodes_truenodeids: child(0),
    nodes_trueleafs: isLeaf(0),
    nodes_falsenodeids: child(1),
    nodes_falseleafs: isLeaf(1),
    ...(choices.hasMissing
      ? { nodes_missing_value_tracks_true: branches.map((one) => (one.missingIsTrue ? 1n : 0n)) }
      : {}),
    leaf_targetids: leaves.map(({ weights }) => BigInt([...weights.keys()][0]!)),
    leaf_weights: numbers(
      "weights",
      leaves.map(({ weights }) => [...weights.values()][0]!),
    ),
    ...(members.length > 0 ? { membership_values: numbers("members", members) } : {}),
    n_targets: BigInt(choices.targetCount),
    aggregate_function: BigInt(AGGREGATES.indexOf(choices.aggregate)),
    post_transform: BigInt(["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"].indexOf(choices.postTransform)),
  };
}
