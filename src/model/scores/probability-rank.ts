import type { NodeProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { attribute, type GraphIndex } from "../onnx/graph-index.ts";
import { isClassifier, isStandard, tailInputs } from "../onnx/value-trace.ts";

/** The rank of an output's numbers as probabilities: 2 by the operator that made them, 0 they are none, 1 only the numbers can tell. */
export type ProbabilityRank = 0 | 1 | 2;

/** Operators whose results are probabilities. */
const NORMALISING = new Set(["Softmax", "Sigmoid", "HardSigmoid", "Normalizer"]);
/** Operators that keep probabilities what they are. */
const KEEPING = new Set(
  (
    "Identity Cast CastLike Reshape Squeeze Unsqueeze Flatten Transpose Dropout ZipMap Expand Slice Split GatherElements Gather " +
    "ArrayFeatureExtractor Concat ReduceMax TopK Mean Where"
  ).split(" "),
);
/** Operators whose results are no probabilities. */
const SCORING = new Set(
  "LogSoftmax Log Neg Relu Softplus Tanh Softsign MatMul Gemm LinearRegressor SVMRegressor Scaler".split(" "),
);
const MAX_DEPTH = 50;
/** Values that are looked at for one output. */
const MAX_VALUES = 2000;

/** Reads the rank of a value from the operators that made it. */
export function probabilityRank(valueName: string, graph: GraphIndex): ProbabilityRank {
  return rank(valueName, graph, 0, { left: MAX_VALUES });
}

function rank(
  valueName: string,
  graph: GraphIndex,
  depth: number,
  budget: { left: number },
): ProbabilityRank {
  const node = graph.producer(valueName);
  if (node === undefined || !isStandard(node) || depth > MAX_DEPTH || budget.left-- <= 0) return 1;
  if (NORMALISING.has(node.opType)) return 2;
  if (SCORING.has(node.opType)) return 0;
  if (isClassifier(node)) return classifierRank(node);
  if (node.opType === "TreeEnsembleRegressor") return postTransform(node) === "NONE" ? 0 : 2;
  const inputs = tailInputs(node, graph) ?? [];
  if (inputs.length === 0) return 1;
  const worst = Math.min(...inputs.map((name) => rank(name, graph, depth + 1, budget))) as ProbabilityRank;
  if (KEEPING.has(node.opType)) return worst;
  // 1 - p, written so that only the first operand is a constant.
  if (node.opType === "Sub" && node.input[1] === inputs[0]) return worst;
  // What arithmetic makes of numbers the numbers have to tell.
  return 1;
}

function classifierRank(node: NodeProto): ProbabilityRank {
  const isVotes = (attribute(node, "prob_a")?.floats.length ?? 0) > 0;
  if (node.opType === "SVMClassifier") return isVotes ? 2 : 0;
  if (postTransform(node) !== "NONE") return 2;
  return node.opType === "TreeEnsembleClassifier" ? 1 : 0;
}

const utf8 = new TextDecoder();

function postTransform(node: NodeProto): string {
  return utf8.decode(attribute(node, "post_transform")?.s) || "NONE";
}
