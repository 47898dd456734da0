import type { NodeProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { attribute, type GraphIndex } from "../onnx/graph-index.ts";
import {
  behindReshapes,
  isClassifier,
  isStandard,
  nodeKey,
  type ScoreTrace,
  traceScore,
} from "../onnx/value-trace.ts";
import { probabilityRank } from "./probability-rank.ts";

/** The place in a graph where numbers become a class. */
export interface LabelDecision {
  /** The same for all labels that are decided in one place. */
  readonly key: string;
  /**
   * `classifier`: an operator that gives class and scores. `highest`, `lowest`: the position of the highest or lowest value.
   * `threshold`: a comparison. `node`: an operator of unknown kind that makes other outputs of the model too.
   */
  readonly kind: "classifier" | "highest" | "lowest" | "threshold" | "node";
  /** The values that are decided over. */
  readonly operands: readonly string[];
  readonly node: NodeProto;
}

/** Operators that give the same label another form. */
const LABEL_FORMS = new Set(
  (
    "Identity Cast CastLike Reshape Squeeze Unsqueeze Flatten Transpose Expand Slice LabelEncoder CategoryMapper Not Neg Abs " +
    "StringNormalizer ReduceMax ReduceSum GatherElements"
  ).split(" "),
);
/** Operators that give a class another number where all but one operand are constants. */
const LABEL_ARITHMETIC = new Set("Add Sub Mul Div Max Min Sum Pow Concat".split(" "));
const COMPARISONS = new Set("Greater GreaterOrEqual Less LessOrEqual Equal".split(" "));
/** Numbers to steps: 0 and 1, or -1, 0 and 1. */
const STEPS = new Set(["Binarizer", "Sign", "Round"]);
const MAX_STEPS = 200;

/** Where the label that an output holds is decided; undefined where the graph shows no such place. */
export function traceDecision(outputName: string, graph: GraphIndex): LabelDecision | undefined {
  let name = outputName;
  for (let i = 0; i < MAX_STEPS; i++) {
    const node = graph.producer(name);
    if (node === undefined || !isStandard(node)) return undefined;
    const decision = decisionOf(node, name, graph);
    if (decision !== undefined) return decision;
    const next = labelInput(node, graph);
    if (next === undefined) return undefined;
    name = next;
  }
  return undefined;
}

function decisionOf(node: NodeProto, valueName: string, graph: GraphIndex): LabelDecision | undefined {
  const { opType, input, output } = node;
  const decided = (kind: LabelDecision["kind"], operands: readonly string[]) => ({
    key: nodeKey(node),
    kind,
    operands,
    node,
  });
  if (isClassifier(node)) {
    return output[0] === valueName ? decided("classifier", output.slice(1, 2)) : undefined;
  }
  if (opType === "ArgMax" || opType === "ArgMin") {
    return decided(opType === "ArgMax" ? "highest" : "lowest", input.slice(0, 1));
  }
  if (opType === "TopK" && output[1] === valueName) {
    const largest = attribute(node, "largest")?.i ?? 1n;
    return decided(largest === 0n ? "lowest" : "highest", input.slice(0, 1));
  }
  const varying = input.filter((operand) => graph.dependsOnInputs(operand));
  const compared = COMPARISONS.has(opType) ? varying : STEPS.has(opType) ? input.slice(0, 1) : [];
  // A rounded probability is a class, another rounded number a count.
  if (opType === "Round" && probabilityRank(input[0] ?? "", graph) !== 2) return undefined;
  // A comparison of an input itself is a rule about the row, no model's decision.
  const computed = compared.filter((operand) => graph.producer(behindReshapes(operand, graph)) !== undefined);
  return computed.length > 0 && computed.length === compared.length
    ? decided("threshold", compared)
    : undefined;
}

function labelInput(node: NodeProto, graph: GraphIndex): string | undefined {
  const { opType, input } = node;
  if (LABEL_FORMS.has(opType)) return input[0];
  if (opType === "Gather" || opType === "ArrayFeatureExtractor") {
    const [table = "", position = ""] = input;
    return graph.dependsOnInputs(table) ? table : position;
  }
  const varying = input.filter((name) => graph.dependsOnInputs(name));
  if (opType === "Where") return varying[0] === input[0] && varying.length === 1 ? varying[0] : undefined;
  return LABEL_ARITHMETIC.has(opType) && varying.length === 1 ? varying[0] : undefined;
}

/** The nearness of numbers to a decision: 4 it is decided over them, 3 they are computed from those, 2 the other way round, 1 both come from the same, 0 they have nothing in common. */
export type Nearness = 0 | 1 | 2 | 3 | 4;

/** Makes the measure of how near a value is to a decision; `own` is the value's trace, where it is known already. */
export function nearnessTo(
  decision: LabelDecision,
  graph: GraphIndex,
): (valueName: string, own?: ScoreTrace) => Nearness {
  const operands = new Set(decision.operands.map((name) => behindReshapes(name, graph)));
  const traces = [...operands].map((name) => traceScore(name, graph));
  const sources = new Set(traces.flatMap((trace) => [...trace.sources]));
  return (valueName, own = traceScore(valueName, graph)) => {
    const base = behindReshapes(valueName, graph);
    if (operands.has(base)) return 4;
    for (const operand of operands) if (own.values.has(operand)) return 3;
    if (traces.some(({ values }) => values.has(base))) return 2;
    const isCommon = [...own.sources].some((name) => sources.has(name) && graph.producer(name) !== undefined);
    return isCommon ? 1 : 0;
  };
}
