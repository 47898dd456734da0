import type { NodeProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { attribute, type GraphIndex, textList } from "../onnx/graph-index.ts";
import { labelTexts } from "../onnx/tensor-proto.ts";

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

/**
 * For a label output that is the position of the highest value: the label of the first, 0 unless a constant is added to it (ML.NET
 * counts from 1). Undefined for other labels.
 */
export function firstPosition(labelOutput: string, graph: GraphIndex): number | undefined {
  let first = 0;
  let name = labelOutput;
  for (let i = 0; i < 100; i++) {
    const node = graph.producer(name);
    if (node === undefined) return undefined;
    if (node.opType === "ArgMax") return first;
    if (node.opType === "Add") {
      const added = node.input.map((input) => addend(input, graph)).find((value) => value !== undefined);
      if (added === undefined) return undefined;
      first += added;
    } else if (!PASSES.has(node.opType)) return undefined;
    name = node.input.find((input) => graph.dependsOnInputs(input)) ?? "";
  }
  return undefined;
}

function addend(valueName: string, graph: GraphIndex): number | undefined {
  const tensor = graph.constant(valueName);
  const texts = tensor === undefined ? undefined : labelTexts(tensor);
  return texts?.length === 1 && Number.isInteger(Number(texts[0])) ? Number(texts[0]) : undefined;
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
  if (node.opType === "LabelEncoder") {
    const [encodedInput = ""] = node.input;
    return encoded(node, follow(encodedInput), firstPosition(encodedInput, graph) ?? 0);
  }
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

function encoded(node: NodeProto, classes: string[] | undefined, first: number): string[] | undefined {
  const keys =
    textList(node, "keys_int64s", "keys_strings", "classes_strings") ?? tensorTexts(node, "keys_tensor");
  const values =
    textList(node, "values_strings", "values_int64s", "classes_strings") ??
    tensorTexts(node, "values_tensor");
  if (keys === undefined || values === undefined) return classes;
  const byKey = new Map(keys.map((key, index) => [key, values[index] ?? key]));
  if (classes !== undefined) return classes.map((label) => byKey.get(label) ?? label);
  const positions = keys.map((_, index) => byKey.get(String(index + first)));
  return positions.every((label) => label !== undefined) ? positions : undefined;
}
