import type { GraphProto, NodeProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import type { DeclaredTensor } from "../onnx/declared-tensor.ts";
import { attribute, type GraphIndex } from "../onnx/graph-index.ts";
import { makeNode, makeShape } from "../onnx/made-nodes.ts";
import type { OnnxEdits } from "../onnx/onnx-edit.ts";
import { labelTexts } from "../onnx/tensor-proto.ts";
import { traceDecision } from "../scores/label-decision.ts";
import type { Repair } from "../signature.ts";

/** Operators whose nodes may be long: they are never written again. */
const LONG = /^(TreeEnsemble|Linear|SVM|Constant)/;

/** A label output that lies in one row, and what was done about it. */
export interface FlatLabel {
  readonly output: DeclaredTensor;
  readonly repair: Repair;
}

/**
 * Turns a label that comes as `[1, N]`, all rows of a request in one, to `[N]`, by a Reshape behind it: exports of scikit-learn's
 * discriminant analysis and others look classes up that way. `rowSymbols` are the symbols that count the inputs' rows. Undefined
 * where the output is not declared so.
 */
export function flattenLabel(
  output: DeclaredTensor,
  rowSymbols: ReadonlySet<string>,
  graph: GraphProto,
  index: GraphIndex,
  edits: OnnxEdits,
): FlatLabel | undefined {
  const { name, dimensions } = output;
  // Where the file leaves both axes open, or says nothing, the operators tell.
  const isUntold = dimensions === undefined || dimensions.every((length) => length === undefined);
  if (isUntold && (dimensions === undefined || dimensions.length === 2)) {
    if (rowForm(name, index) !== "row") return undefined;
    return flatten({ ...output, dimensions: dimensions ?? [undefined, undefined] }, graph, index, edits);
  }
  if (dimensions?.length !== 2) return undefined;
  const [rows, columns] = dimensions;
  const countsRows = typeof columns === "string" && rowSymbols.has(columns) && rows !== columns;
  const isOne = rows === 1 && columns !== 1 && typeof columns !== "number";
  const isLabel = traceDecision(name, index) !== undefined;
  if (!(isLabel && (isOne || countsRows)) && !(isOne && countsRows)) return undefined;
  return flatten(output, graph, index, edits);
}

function flatten(
  output: DeclaredTensor,
  graph: GraphProto,
  index: GraphIndex,
  edits: OnnxEdits,
): FlatLabel | undefined {
  const { name, dimensions } = output;
  if (!renameValue(name, `assay/${name}/row`, graph, index, edits)) return undefined;
  const shape = `assay/${name}/shape`;
  edits.appendNodes.push(makeShape(shape, [-1n]), makeNode("Reshape", [`assay/${name}/row`, shape], name));
  edits.dropValueInfo = true;
  return {
    output: { ...output, dimensions: [undefined] },
    repair: {
      kind: "label_flattened",
      target: name,
      description: `gives [1,${dimensions?.[1] ?? "?"}], all rows in one; served as one value a row, [-1]`,
    },
  };
}

/** Operators that keep the form of a label. */
const KEEPS_FORM = new Set(["Identity", "Cast", "LabelEncoder", "Not", "Where"]);
const MAX_STEPS = 50;

/** The form of a label of N rows, `[N]`, `[1, N]` or `[N, 1]`, by the operators that lead from the highest position to it. */
function rowForm(valueName: string, graph: GraphIndex): "vector" | "row" | "column" | undefined {
  const path: NodeProto[] = [];
  let name = valueName;
  for (let i = 0; i < MAX_STEPS; i++) {
    const node = graph.producer(name);
    if (node === undefined) return undefined;
    path.push(node);
    if (node.opType === "ArgMax") break;
    name = node.input.find((input) => graph.dependsOnInputs(input)) ?? "";
  }
  let form: ReturnType<typeof rowForm>;
  for (const node of path.reverse()) form = nextForm(node, form, graph);
  return form;
}

function nextForm(
  node: NodeProto,
  form: ReturnType<typeof rowForm>,
  graph: GraphIndex,
): ReturnType<typeof rowForm> {
  const list = (index: number) => {
    const tensor = graph.constant(node.input[index] ?? "");
    return tensor === undefined ? undefined : labelTexts(tensor)?.join();
  };
  const { opType } = node;
  if (opType === "ArgMax") {
    const axis = attribute(node, "axis")?.i ?? 0n;
    if (axis !== 1n && axis !== -1n) return undefined;
    return attribute(node, "keepdims")?.i === 0n ? "vector" : "column";
  }
  if (opType === "ArrayFeatureExtractor") return "row";
  if (KEEPS_FORM.has(opType)) return form;
  if (opType === "Transpose") return form === "row" ? "column" : form === "column" ? "row" : form;
  if (opType === "Reshape")
    return ({ "-1": "vector", "1,-1": "row", "-1,1": "column" } as const)[list(1) ?? ""];
  if (opType === "Unsqueeze" && form === "vector") {
    const axes = list(1) ?? attribute(node, "axes")?.ints.join();
    return axes === "0" ? "row" : axes === "1" ? "column" : undefined;
  }
  return undefined;
}

/** Gives a value another name wherever it is made and read; false where a node would have to be written that may be long. */
function renameValue(
  from: string,
  to: string,
  graph: GraphProto,
  index: GraphIndex,
  edits: OnnxEdits,
): boolean {
  const maker = index.producer(from);
  const nodes = maker === undefined ? [] : [maker, ...index.consumers(from)];
  if (maker === undefined || nodes.some(({ opType }) => LONG.test(opType))) return false;
  const renamed = (names: readonly string[]) => names.map((name) => (name === from ? to : name));
  for (const node of new Set(nodes)) {
    const position = graph.node.indexOf(node);
    const before: NodeProto = edits.replaceNodes.get(position) ?? node;
    const after = { ...before, input: renamed(before.input), output: renamed(before.output) };
    edits.replaceNodes.set(position, after);
  }
  return true;
}
