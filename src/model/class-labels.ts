import type { NodeProto } from "../../gen/onnx/onnx-ml_pb.ts";
import { attribute, type GraphIndex, textList } from "./graph-index.ts";
import { labelTexts } from "./tensor-proto.ts";

/** Operators that leave the classes of their first input what they are. */
const PASSES = new Set(["Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose"]);
const CLASSIFIERS = new Set(["TreeEnsembleClassifier", "LinearClassifier", "SVMClassifier"]);

/**
 * The class labels, in the order of the probability columns, that a label output can take: from the classifier's own
 * attributes, a ZipMap on `probabilities`, or the constants that exporters look the class up in. Undefined where the
 * graph does not say.
 */
export function traceClassLabels(labelOutput: string, graph: GraphIndex): string[] | undefined {
  return trace(labelOutput, graph, 0);
}

/** True for a label output that is the position of the highest value itself: its labels are 0, 1, …. */
export function isClassPosition(labelOutput: string, graph: GraphIndex): boolean {
  let node = graph.producer(labelOutput);
  for (let i = 0; node !== undefined && PASSES.has(node.opType) && i < 100; i++) {
    node = graph.producer(node.input[0] ?? "");
  }
  return node?.opType === "ArgMax";
}

/** The keys of a ZipMap in the order of its columns. */
export function zipMapLabels(node: NodeProto): string[] {
  return textList(node, "classlabels_strings", "classlabels_int64s") ?? [];
}

function trace(valueName: string, graph: GraphIndex, depth: number): string[] | undefined {
  const node = depth < 100 ? graph.producer(valueName) : undefined;
  if (node === undefined) return undefined;
  const follow = (name: string | undefined) =>
    name === undefined ? undefined : trace(name, graph, depth + 1);
  if (PASSES.has(node.opType)) return follow(node.input[0]);
  if (CLASSIFIERS.has(node.opType) && node.output[0] === valueName) {
    return textList(node, "classlabels_strings", "classlabels_int64s", "classlabels_ints");
  }
  if (node.opType === "ArrayFeatureExtractor" || node.opType === "Gather") {
    const table = graph.constant(node.input[0] ?? "");
    const values = table === undefined ? undefined : labelTexts(table);
    return values === undefined ? undefined : lookUp(follow(node.input[1]), values);
  }
  if (node.opType === "LabelEncoder") return encoded(node, follow(node.input[0]));
  return undefined;
}

/** A table looked up by class position: by the traced classes where they are positions, else by column. */
function lookUp(positions: string[] | undefined, table: string[]): string[] {
  if (positions === undefined) return table;
  const found = positions.map((position) => table[Number(position)]);
  return found.every((label) => label !== undefined) ? found : table;
}

function tensorTexts(node: NodeProto, name: string): string[] | undefined {
  const tensor = attribute(node, name)?.t;
  return tensor === undefined ? undefined : labelTexts(tensor);
}

function encoded(node: NodeProto, classes: string[] | undefined): string[] | undefined {
  const keys =
    textList(node, "keys_int64s", "keys_strings", "classes_strings") ?? tensorTexts(node, "keys_tensor");
  const values =
    textList(node, "values_strings", "values_int64s", "classes_strings") ??
    tensorTexts(node, "values_tensor");
  if (keys === undefined || values === undefined) return classes;
  const byKey = new Map(keys.map((key, index) => [key, values[index] ?? key]));
  if (classes !== undefined) return classes.map((label) => byKey.get(label) ?? label);
  const positions = keys.map((_, index) => byKey.get(String(index)));
  return positions.every((label) => label !== undefined) ? positions : undefined;
}
