import type { NodeProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { attribute, type GraphIndex } from "../onnx/graph-index.ts";
import {
  ancestors,
  behindReshapes,
  isClassifier,
  isStandard,
  nodeKey,
  type ScoreTrace,
  traceScore,
} from "../onnx/value-trace.ts";
import { firstPosition, traceClassLabels } from "./class-labels.ts";
import { type LabelDecision, nearnessTo, traceDecision } from "./label-decision.ts";
import { type ProbabilityRank, probabilityRank } from "./probability-rank.ts";

/** The origin of an output as the graph tells it, whatever its name and shape are. */
export interface OutputOrigin {
  /**
   * `input`: an input passes through. `constant`: the same whatever comes in. `feature`: made of inputs without a model's own
   * operator, or what a model computes another output from. `model`: computed.
   */
  readonly kind: "input" | "constant" | "feature" | "model";
  /** The value behind operators that only reshape: equal where two outputs hold the same. */
  readonly base: string;
  readonly probability: ProbabilityRank;
  /** For a label: where it is decided. */
  readonly decision: DecisionFacts | undefined;
  /** How near its numbers are to each decision, by the decision's key; absent where they have nothing in common. */
  readonly nearness: ReadonlyMap<string, number>;
  /** Where its numbers are computed: what it has in common with other outputs. */
  readonly sources: ReadonlySet<string>;
  /** The classes by column that the output says itself: what a ZipMap made, or columns joined. */
  readonly ownClasses?: readonly string[];
  /** The highest of several values a row. */
  readonly isHighest?: boolean;
  /** Columns that an SVM without probabilities gives as they are: one for each pair of classes. */
  readonly svmPairs: boolean;
}

/** A decision, as far as the choice of a score needs it. */
export interface DecisionFacts {
  readonly key: string;
  readonly kind: LabelDecision["kind"];
  /** Class labels by column; undefined where the graph does not tell. */
  readonly classes: readonly string[] | undefined;
  /** The label is the position of the highest value itself: classes are this number and those that follow. */
  readonly firstPosition: number | undefined;
  /** Scores and label come from estimates of their own (an SVM with probabilities), and may differ in a few rows. */
  readonly isLoose: boolean;
  /** ONNX Runtime tells the position of the class, 0 or 1, where the file has other numbers for its two classes. */
  readonly givesPositions?: boolean;
}

/** By output name. */
export type OutputOrigins = ReadonlyMap<string, OutputOrigin>;

/** Outputs beyond this are neither score nor label unless config.json names them. */
const MAX_OUTPUTS = 16_384;
/** Values that are visited for finding what outputs are computed from. */
const MAX_VISITED = 2_000_000;

/** Reads the origin of each output; `values` names the graph's value that an output holds, `own` the classes that it says itself. */
export function readOutputOrigins(
  values: ReadonlyMap<string, string>,
  own: ReadonlyMap<string, readonly string[]>,
  graph: GraphIndex,
): OutputOrigins {
  const named = [...values].slice(0, MAX_OUTPUTS);
  const rest = [...values.keys()].slice(MAX_OUTPUTS);
  const decisions = new Map(named.map(([name, value]) => [name, traceDecision(value, graph)]));
  addSharedNodes(named, decisions, graph);
  const distinct = new Map<string, LabelDecision>();
  for (const decision of decisions.values()) {
    if (decision !== undefined && distinct.size < 64) distinct.set(decision.key, decision);
  }
  const measures = [...distinct].map(([key, decision]) => [key, nearnessTo(decision, graph)] as const);
  const origins = new Map<string, OutputOrigin>();
  for (const [name, value] of named) {
    const decision = decisions.get(name);
    const near = new Map<string, number>();
    const ownClasses = own.get(name);
    const trace = traceScore(value, graph);
    for (const [key, measure] of measures) {
      const steps = key === decision?.key ? 0 : measure(value, trace);
      if (steps > 0) near.set(key, steps);
    }
    origins.set(name, {
      kind: kindOf(value, trace, near.size > 0 || decision !== undefined, graph),
      base: behindReshapes(value, graph),
      probability: probabilityRank(value, graph),
      decision: decision === undefined ? undefined : decisionFacts(value, decision, graph),
      nearness: near,
      sources: trace.sources,
      ...(ownClasses === undefined ? {} : { ownClasses }),
      ...(isHighest(value, graph) ? { isHighest: true } : {}),
      svmPairs: isSvmPairs(value, graph),
    });
  }
  for (const name of rest) origins.set(name, LEFT_OUT);
  return markFeatures(named, origins, graph);
}

const LEFT_OUT: OutputOrigin = {
  kind: "feature",
  base: "",
  probability: 0,
  decision: undefined,
  nearness: new Map(),
  sources: new Set(),
  svmPairs: false,
};

/** One operator of unknown kind that makes several outputs makes a label and its scores. */
function addSharedNodes(
  named: readonly (readonly [string, string])[],
  decisions: Map<string, LabelDecision | undefined>,
  graph: GraphIndex,
): void {
  const makers = new Map<NodeProto, string[]>();
  for (const [, value] of named) {
    const node = graph.producer(behindReshapes(value, graph));
    if (node !== undefined && (!isStandard(node) || node.opType === "If" || node.opType === "Loop")) {
      makers.set(node, [...(makers.get(node) ?? []), behindReshapes(value, graph)]);
    }
  }
  for (const [name, value] of named) {
    const base = behindReshapes(value, graph);
    const node = graph.producer(base);
    const made = node === undefined ? undefined : makers.get(node);
    if (node === undefined || made === undefined || decisions.get(name) !== undefined) continue;
    const operands = made.filter((other) => other !== base);
    if (operands.length > 0) decisions.set(name, { key: nodeKey(node), kind: "node", operands, node });
  }
}

function decisionFacts(value: string, decision: LabelDecision, graph: GraphIndex): DecisionFacts {
  const classes = traceClassLabels(value, graph);
  return {
    key: decision.key,
    kind: decision.kind,
    classes,
    firstPosition: classes === undefined ? firstPosition(value, graph) : undefined,
    isLoose: decision.node.opType === "SVMClassifier" && isClassifier(decision.node),
    ...(givesPositions(value, decision.node, graph) ? { givesPositions: true } : {}),
  };
}

/**
 * ONNX Runtime's trees of two classes give the numbers of the file only where all weights are those of one class. CatBoost writes
 * weights for both, and then 0 and 1 come whatever the classes are; texts are not concerned.
 */
function givesPositions(value: string, node: NodeProto, graph: GraphIndex): boolean {
  if (node.opType !== "TreeEnsembleClassifier" || !isClassifier(node)) return false;
  if (behindReshapes(value, graph) !== node.output[0]) return false;
  const classes = attribute(node, "classlabels_int64s")?.ints ?? [];
  const weighted = attribute(node, "class_ids")?.ints ?? [];
  if (classes.length !== 2 || (classes[0] === 0n && classes[1] === 1n)) return false;
  return weighted.includes(0n) && weighted.includes(1n);
}

function kindOf(
  value: string,
  { sources }: ScoreTrace,
  isDecided: boolean,
  graph: GraphIndex,
): OutputOrigin["kind"] {
  if (!graph.isReached(value)) return "constant";
  if (graph.producer(behindReshapes(value, graph)) === undefined) return "input";
  if (isDecided || sources.size === 0) return "model";
  return [...sources].every((name) => graph.producer(name) === undefined) ? "feature" : "model";
}

function isHighest(value: string, graph: GraphIndex): boolean {
  const node = graph.producer(behindReshapes(value, graph));
  return node !== undefined && isStandard(node) && (node.opType === "ReduceMax" || node.opType === "TopK");
}

function isSvmPairs(value: string, graph: GraphIndex): boolean {
  const node = graph.producer(behindReshapes(value, graph));
  if (node === undefined || !isClassifier(node) || node.opType !== "SVMClassifier") return false;
  return (attribute(node, "prob_a")?.floats.length ?? 0) === 0;
}

/**
 * What another output is computed from by a model's own operator is a feature. Where nothing but rules on inputs is left,
 * those are the model.
 */
function markFeatures(
  named: readonly (readonly [string, string])[],
  origins: Map<string, OutputOrigin>,
  graph: GraphIndex,
): OutputOrigins {
  const models = named.filter(([name]) => origins.get(name)?.kind === "model");
  if (models.length === 0) {
    for (const [name, origin] of origins) {
      if (origin.kind === "feature") origins.set(name, { ...origin, kind: "model" });
    }
    return origins;
  }
  let left = MAX_VISITED;
  for (const [name, value] of models) {
    if (left <= 0) break;
    const from = ancestors(value, graph, left);
    left -= from.size;
    const { values } = traceScore(value, graph);
    for (const [other, origin] of origins) {
      const isStep = other !== name && origin.kind === "model" && from.has(origin.base);
      const isSame = values.has(origin.base) || origin.decision !== undefined || origin.nearness.size > 0;
      if (isStep && !isSame) origins.set(other, { ...origin, kind: "feature" });
    }
  }
  return origins;
}
