/**
 * The trees of an ensemble node as the file has them, whichever of the three operators wrote them: TreeEnsembleRegressor and
 * TreeEnsembleClassifier (ai.onnx.ml 1 and 3), TreeEnsemble (5). See https://onnx.ai/onnx/operators/.
 */
import { NodeAttributes } from "./node-attributes.ts";

/** How a node tells its true branch from its false one; a leaf has none. */
export type NodeMode = "LEQ" | "LT" | "GTE" | "GT" | "EQ" | "NEQ" | "MEMBER" | "LEAF";

/** How what the trees say becomes one score. */
export type Aggregate = "SUM" | "AVERAGE" | "MIN" | "MAX";

/** The last step from sums to outputs. */
export type PostTransform = "NONE" | "SOFTMAX" | "LOGISTIC" | "SOFTMAX_ZERO" | "PROBIT";

/** Nodes of all trees in one list; children by their places in it. */
export interface TreeNodes {
  readonly modes: readonly NodeMode[];
  readonly features: Float64Array;
  /** What a column is compared with; 0 where the mode is MEMBER. */
  readonly values: Float64Array;
  /** Of MEMBER nodes: the values of the true branch. */
  readonly members: ReadonlyMap<number, readonly number[]>;
  /** A missing value takes the true branch; otherwise the comparison decides, which NaN fails. */
  readonly missingIsTrue: readonly boolean[];
  /** -1 for leaves. */
  readonly trueChildren: Float64Array;
  readonly falseChildren: Float64Array;
}

/** What leaves add: entry `i` is of the leaf `leaves[i]`, for one target. */
export interface LeafWeights {
  readonly leaves: Float64Array;
  readonly targets: Float64Array;
  readonly weights: Float64Array;
}

/** The labels of a classifier, a column each. */
export type TreeLabels =
  | { readonly kind: "strings"; readonly values: readonly string[] }
  | { readonly kind: "integers"; readonly values: readonly bigint[] };

/** An ensemble. */
export interface TreeEnsemble {
  readonly operator: "TreeEnsembleRegressor" | "TreeEnsembleClassifier" | "TreeEnsemble";
  readonly nodes: TreeNodes;
  /** The root of each tree, in the order in which their scores are summed. */
  readonly roots: readonly number[];
  readonly leafWeights: LeafWeights;
  /** Targets, or classes. */
  readonly targetCount: number;
  readonly aggregate: Aggregate;
  readonly postTransform: PostTransform;
  readonly baseValues: ArrayLike<number>;
  /** Of classifiers only. */
  readonly labels: TreeLabels | undefined;
  /** Numbers are of double precision. */
  readonly isDouble: boolean;
}

/** By number, as ONNX Runtime has them: the specification counts SOFTMAX as 1 and LOGISTIC as 2. */
const POST_TRANSFORMS: readonly PostTransform[] = ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"];
const AGGREGATES: readonly Aggregate[] = ["AVERAGE", "SUM", "MIN", "MAX"];
const MODES: readonly NodeMode[] = ["LEQ", "LT", "GTE", "GT", "EQ", "NEQ", "MEMBER"];

const OPERATORS: ReadonlySet<string> = new Set<TreeEnsemble["operator"]>([
  "TreeEnsembleRegressor",
  "TreeEnsembleClassifier",
  "TreeEnsemble",
]);

/** Tells whether a node is an ensemble of trees. */
export function isEnsemble({
  opType,
  domain,
}: {
  readonly opType: string;
  readonly domain: string;
}): boolean {
  return domain === "ai.onnx.ml" && OPERATORS.has(opType);
}

/** What an ensemble says that nobody can make sense of. */
export class TreeError extends Error {}

/** Reads the ensemble of the NodeProto from `start` to `end`. Throws TreeError where its lists do not fit together. */
export function readTreeEnsemble(
  bytes: Uint8Array,
  start: number,
  end: number,
  operator: TreeEnsemble["operator"],
): TreeEnsemble {
  const attributes = new NodeAttributes(bytes, start, end);
  return operator === "TreeEnsemble" ? readFifth(attributes) : readNamed(attributes, operator);
}

function readNamed(
  attributes: NodeAttributes,
  operator: "TreeEnsembleRegressor" | "TreeEnsembleClassifier",
): TreeEnsemble {
  const weightsOf = operator === "TreeEnsembleRegressor" ? "target" : "class";
  let isDouble = false;
  const numbers = (name: string): Float64Array => {
    const tensor = attributes.numbers(`${name}_as_tensor`);
    if (tensor?.datatype === "FP64") isDouble = true;
    return tensor?.values ?? attributes.floats(name);
  };
  const treeIds = attributes.integers("nodes_treeids");
  const nodeIds = attributes.integers("nodes_nodeids");
  const places = placesOf(treeIds, nodeIds);
  const modes = attributes.strings("nodes_modes").map(namedMode);
  const child = (ids: Float64Array) =>
    ids.map((id, at) => (modes[at] === "LEAF" ? -1 : places(treeIds[at]!, id)));
  const tracks = attributes.integers("nodes_missing_value_tracks_true");
  const nodes: TreeNodes = {
    modes,
    features: attributes.integers("nodes_featureids"),
    values: numbers("nodes_values"),
    members: new Map(),
    missingIsTrue: modes.map((_, at) => tracks[at] === 1),
    trueChildren: child(attributes.integers("nodes_truenodeids")),
    falseChildren: child(attributes.integers("nodes_falsenodeids")),
  };
  const leafNodes = attributes.integers(`${weightsOf}_nodeids`);
  const leafTrees = attributes.integers(`${weightsOf}_treeids`);
  const strings = attributes.strings("classlabels_strings");
  const integers = attributes.longs("classlabels_int64s");
  const labels: TreeLabels =
    strings.length > 0 ? { kind: "strings", values: strings } : { kind: "integers", values: integers };
  const isClassifier = operator === "TreeEnsembleClassifier";
  const ensemble: TreeEnsemble = {
    operator,
    nodes,
    roots: [...treeIds.keys()].filter((at) => at === 0 || treeIds[at] !== treeIds[at - 1]),
    leafWeights: {
      leaves: leafNodes.map((id, at) => places(leafTrees[at]!, id)),
      targets: attributes.integers(`${weightsOf}_ids`),
      weights: numbers(`${weightsOf}_weights`),
    },
    targetCount: isClassifier ? labels.values.length : attributes.integer("n_targets", 1),
    aggregate: attributes.string("aggregate_function", "SUM") as Aggregate,
    postTransform: attributes.string("post_transform", "NONE") as PostTransform,
    baseValues: numbers("base_values"),
    labels: isClassifier ? labels : undefined,
    isDouble,
  };
  check(ensemble);
  return ensemble;
}

/** Finds nodes by tree and number; most files number those of a tree from 0, one after another. */
function placesOf(treeIds: Float64Array, nodeIds: Float64Array): (tree: number, id: number) => number {
  const starts = new Map<number, number>();
  treeIds.forEach((tree, at) => {
    if (!starts.has(tree)) starts.set(tree, at);
  });
  const others = new Map<string, number>();
  treeIds.forEach((tree, at) => {
    if (starts.get(tree)! + nodeIds[at]! !== at) others.set(`${tree} ${nodeIds[at]}`, at);
  });
  return (tree, id) => {
    const at = (starts.get(tree) ?? -1) + id;
    if (treeIds[at] === tree && nodeIds[at] === id) return at;
    const other = others.get(`${tree} ${id}`);
    if (other === undefined) throw new TreeError(`tree ${tree} has no node ${id}`);
    return other;
  };
}

function namedMode(name: string): NodeMode {
  const mode = name.startsWith("BRANCH_") ? name.slice("BRANCH_".length) : name;
  if (mode === "LEAF" || (MODES as readonly string[]).includes(mode)) return mode as NodeMode;
  throw new TreeError(`the node mode ${JSON.stringify(name)} is none of ONNX's`);
}

/** In the fifth version only branches are nodes, and leaves are a list of their own. */
function readFifth(attributes: NodeAttributes): TreeEnsemble {
  const splits = attributes.numbers("nodes_splits");
  const weights = attributes.numbers("leaf_weights");
  if (splits === undefined || weights === undefined)
    throw new TreeError("nodes_splits or leaf_weights is missing");
  const branchModes = Array.from(
    attributes.numbers("nodes_modes")?.values ?? [],
    (code): NodeMode => MODES[code] ?? "LEAF",
  );
  const branchCount = branchModes.length;
  const leafCount = weights.values.length;
  const tracks = attributes.integers("nodes_missing_value_tracks_true");
  const children = (branch: "true" | "false") => {
    const isLeaf = attributes.integers(`nodes_${branch}leafs`);
    const ids = attributes.integers(`nodes_${branch}nodeids`);
    return padded(
      ids.map((id, at) => (isLeaf[at] === 1 ? branchCount + id : id)),
      leafCount,
      -1,
    );
  };
  const leaves = Float64Array.from({ length: leafCount }, (_, at) => branchCount + at);
  const ensemble: TreeEnsemble = {
    operator: "TreeEnsemble",
    nodes: {
      modes: [...branchModes, ...Array.from(leaves, (): NodeMode => "LEAF")],
      features: padded(attributes.integers("nodes_featureids"), leafCount, 0),
      values: padded(splits.values, leafCount, 0),
      members: membersOf(branchModes, attributes.numbers("membership_values")?.values ?? []),
      missingIsTrue: [...branchModes.map((_, at) => tracks[at] === 1), ...Array.from(leaves, () => false)],
      trueChildren: children("true"),
      falseChildren: children("false"),
    },
    roots: [...attributes.integers("tree_roots")],
    leafWeights: { leaves, targets: attributes.integers("leaf_targetids"), weights: weights.values },
    targetCount: attributes.integer("n_targets", 1),
    aggregate: AGGREGATES[attributes.integer("aggregate_function", 1)]!,
    postTransform: POST_TRANSFORMS[attributes.integer("post_transform", 0)]!,
    baseValues: [],
    labels: undefined,
    isDouble: splits.datatype === "FP64",
  };
  check(ensemble);
  return ensemble;
}

function padded(list: Float64Array, count: number, filling: number): Float64Array {
  const longer = new Float64Array(list.length + count).fill(filling, list.length);
  longer.set(list);
  return longer;
}

/** The sets stand one after another, each ended by a NaN. */
function membersOf(modes: readonly NodeMode[], values: ArrayLike<number>): Map<number, number[]> {
  const members = new Map<number, number[]>();
  let from = 0;
  modes.forEach((mode, at) => {
    if (mode !== "MEMBER") return;
    let to = from;
    while (to < values.length && !Number.isNaN(values[to])) to++;
    members.set(at, Array.from(values).slice(from, to));
    from = to + 1;
  });
  return members;
}

function check(ensemble: TreeEnsemble): void {
  const { nodes, roots, leafWeights, targetCount } = ensemble;
  const count = nodes.modes.length;
  const { features, values, trueChildren, falseChildren } = nodes;
  const lists = [features, values, trueChildren, falseChildren];
  if (lists.some((list) => list.length !== count)) throw new TreeError("the lists of nodes differ in length");
  const { leaves, targets, weights } = leafWeights;
  if (leaves.length !== targets.length || leaves.length !== weights.length)
    throw new TreeError("the lists of weights differ in length");
  if (roots.length === 0 || targetCount < 1) throw new TreeError("no trees, or no targets");
  if (targets.some((target) => !(target >= 0 && target < targetCount)))
    throw new TreeError(`a weight is of a target beyond the ${targetCount} that there are`);
  const isPlace = (at: number) => at >= 0 && at < count;
  const isChild = (child: number, at: number) => nodes.modes[at] === "LEAF" || isPlace(child);
  const all = roots.every(isPlace) && leaves.every(isPlace);
  if (!all || !trueChildren.every(isChild) || !falseChildren.every(isChild))
    throw new TreeError("a branch leads to a node that is not there");
}
