import { create } from "@bufbuild/protobuf";
import {
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
} from "../../gen/onnx/onnx-ml_pb.ts";
import type { DeclaredTensor } from "./declared-tensor.ts";
import type { GraphIndex } from "./graph-index.ts";
import { traceDecision } from "./label-decision.ts";
import type { OnnxEdits } from "./onnx-edit.ts";
import type { Repair } from "./signature.ts";

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
  if (dimensions?.length !== 2) return undefined;
  const [rows, columns] = dimensions;
  const countsRows = typeof columns === "string" && rowSymbols.has(columns) && rows !== columns;
  const isOne = rows === 1 && columns !== 1 && typeof columns !== "number";
  const isLabel = traceDecision(name, index) !== undefined;
  if (!(isLabel && (isOne || countsRows)) && !(isOne && countsRows)) return undefined;
  if (!renameValue(name, `assay/${name}/row`, graph, index, edits)) return undefined;
  appendReshape(`assay/${name}/row`, name, edits);
  edits.dropValueInfo = true;
  return {
    output: { ...output, dimensions: [undefined] },
    repair: {
      kind: "label_flattened",
      target: name,
      description: `declares [1,${columns ?? "?"}], all rows in one; served as one value a row, [-1]`,
    },
  };
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

function appendReshape(from: string, to: string, edits: OnnxEdits): void {
  const shape = `assay/${to}/shape`;
  const value = create(TensorProtoSchema, {
    dims: [1n],
    dataType: TensorProto_DataType.INT64,
    int64Data: [-1n],
  });
  edits.appendNodes.push(
    create(NodeProtoSchema, {
      opType: "Constant",
      output: [shape],
      attribute: [{ name: "value", type: 4, t: value }],
    }),
    create(NodeProtoSchema, { opType: "Reshape", input: [from, shape], output: [to] }),
  );
}
