import type { NodeProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import type { GraphIndex } from "./graph-index.ts";

/** The makings of a value, followed back through operators that only reshape, scale or join scores. */
export interface ScoreTrace {
  /** Every value that was passed, the first one and the sources included. */
  readonly values: ReadonlySet<string>;
  /** Where the trail ends: graph inputs, and values made by operators that compute something of their own. */
  readonly sources: ReadonlySet<string>;
}

/** Operators that leave every value what it is and only change shape or type. */
const RESHAPES = new Set(
  "Identity Cast CastLike Reshape Squeeze Unsqueeze Flatten Transpose Dropout ZipMap".split(" "),
);
/** Operators that choose parts of their first input, or turn each value or row of it into another. */
const FOLLOWS_FIRST = new Set(
  (
    "Expand Slice Split GatherElements Softmax LogSoftmax Hardmax Sigmoid HardSigmoid Softplus Softsign Tanh Erf Exp Log Neg Abs " +
    "Sqrt Reciprocal Clip Relu Normalizer LpNormalization Scaler ReduceMax TopK Tile Pow Imputer LabelEncoder CategoryMapper " +
    "OneHotEncoder StringNormalizer FeatureVectorizer"
  ).split(" "),
);
/** Operators that join several inputs value by value or side by side. */
const JOINS = new Set("Add Sub Mul Div Max Min Sum Mean Concat".split(" "));
/** Longest way back to a reduction that norms a row. */
const MAX_NORM_STEPS = 12;

/** True for an operator of ONNX itself or of its machine learning set. */
export function isStandard({ domain }: NodeProto): boolean {
  return domain === "" || domain === "ai.onnx" || domain === "ai.onnx.ml";
}

const CLASSIFIERS = new Set(["TreeEnsembleClassifier", "LinearClassifier", "SVMClassifier"]);

/** True for an operator that gives the class and the scores of each row. */
export function isClassifier(node: NodeProto): boolean {
  return isStandard(node) && CLASSIFIERS.has(node.opType);
}

/** The value behind operators that only change shape or type. */
export function behindReshapes(valueName: string, graph: GraphIndex): string {
  let name = valueName;
  for (let i = 0; i < 1000; i++) {
    const node = graph.producer(name);
    if (node === undefined || !isStandard(node) || !RESHAPES.has(node.opType)) return name;
    name = node.input[0] ?? "";
  }
  return name;
}

/** Follows a value back to where its numbers are computed. */
export function traceScore(valueName: string, graph: GraphIndex): ScoreTrace {
  const values = new Set<string>();
  const sources = new Set<string>();
  const open = [valueName];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (values.has(name) || !graph.dependsOnInputs(name)) continue;
    values.add(name);
    const node = graph.producer(name);
    const inputs = node === undefined ? undefined : tailInputs(node, graph);
    if (inputs === undefined) sources.add(node === undefined ? name : nodeKey(node));
    else open.push(...inputs);
  }
  return { values, sources };
}

/** A name for a node, the same for each of its outputs. */
export function nodeKey(node: NodeProto): string {
  return node.output.find((name) => name !== "") ?? node.name;
}

/** The inputs that a score passes through a node by; undefined where the node computes something of its own. */
export function tailInputs(node: NodeProto, graph: GraphIndex): readonly string[] | undefined {
  if (!isStandard(node)) return undefined;
  const { opType, input } = node;
  if (RESHAPES.has(opType) || FOLLOWS_FIRST.has(opType)) return input.slice(0, 1);
  if (opType === "Gather" || opType === "ArrayFeatureExtractor") {
    const [data = "", indices = ""] = input;
    return graph.dependsOnInputs(data) ? [data] : [indices];
  }
  if (opType === "Where") {
    const branches = input.slice(1).filter((name) => graph.dependsOnInputs(name));
    return branches.length > 0 ? branches : input.slice(0, 1);
  }
  if (!JOINS.has(opType)) return undefined;
  const varying = input.filter((name) => graph.dependsOnInputs(name));
  if (varying.length < 2 || opType === "Concat") return varying;
  // x / sum(x), x - max(x): what a row is normed by is no score of its own.
  const kept = varying.filter((name) => !isNorm(name, graph));
  return kept.length > 0 ? kept : varying;
}

function isNorm(valueName: string, graph: GraphIndex): boolean {
  let name = valueName;
  for (let i = 0; i < MAX_NORM_STEPS; i++) {
    const node = graph.producer(name);
    if (node === undefined || !isStandard(node)) return false;
    if (node.opType.startsWith("Reduce")) return true;
    const known = RESHAPES.has(node.opType) || FOLLOWS_FIRST.has(node.opType) || JOINS.has(node.opType);
    if (!known && node.opType !== "Where") return false;
    const varying = node.input.filter((input) => graph.dependsOnInputs(input));
    if (varying.length === 0 || (varying.length > 1 && node.opType !== "Where")) return false;
    name = varying.at(-1)!;
  }
  return false;
}

/** Every value that a value is computed from, itself included; at most `limit` are visited. */
export function ancestors(valueName: string, graph: GraphIndex, limit: number): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [valueName];
  for (let name = open.pop(); name !== undefined && seen.size < limit; name = open.pop()) {
    if (seen.has(name) || !graph.dependsOnInputs(name)) continue;
    seen.add(name);
    for (const input of graph.producer(name)?.input ?? []) open.push(input);
  }
  return seen;
}
