import type { NodeProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import type { DeclaredTensor } from "../onnx/declared-tensor.ts";
import { attribute, type GraphIndex } from "../onnx/graph-index.ts";
import { makeNode, makeShape } from "../onnx/made-nodes.ts";
import type { OnnxEdits } from "../onnx/onnx-edit.ts";
import { labelTexts } from "../onnx/tensor-proto.ts";
import { behindReshapes, isStandard } from "../onnx/value-trace.ts";
import { nearnessTo, traceDecision } from "../scores/label-decision.ts";
import type { Repair } from "../signature.ts";

/** The outputs of a class each that make up one probability matrix. */
export interface GatheredColumns {
  readonly output: DeclaredTensor;
  readonly labels: readonly string[];
  /** The graph's value that the columns were cut from. */
  readonly matrix: string;
  readonly repair: Repair;
}

/**
 * Finds what skl2onnx's `zipmap='columns'` leaves: beside a label output one float output for each column of the matrix that
 * the label is decided over, named by a type letter (`s`, `i`) and the class, and adds an output that joins them
 * to `[N, classes]`. The columns stay as they are. `classesOf` tells the classes of a label output.
 */
export function gatherColumns(
  outputs: readonly DeclaredTensor[],
  graph: GraphIndex,
  classesOf: (labelOutput: string) => readonly string[] | undefined,
  edits: OnnxEdits,
): GatheredColumns | undefined {
  const { matrix, columns } = columnSets(outputs, graph);
  if (matrix === undefined) return undefined;
  const whole = outputs.some(({ name }) => behindReshapes(name, graph) === matrix);
  const label = outputs.find(({ name }) => {
    const decision = traceDecision(name, graph);
    return decision !== undefined && decision.kind !== "lowest" && nearnessTo(decision, graph)(matrix) > 0;
  });
  if (whole || label === undefined) return undefined;
  const classes = classesOf(label.name);
  if (classes !== undefined && classes.length !== columns.length) return undefined;
  const name = ["probabilities", "output_probability", "class_probabilities"].find(
    (free) => !graph.isValue(free),
  );
  if (name === undefined) return undefined;
  const labels = classNames(columns, classes);
  appendConcat(columns, name, edits);
  const came = columns.map((column) => column.name).slice(0, 10);
  const { datatype } = columns[0]!;
  return {
    output: { name, datatype, dimensions: [undefined, labels.length] },
    labels,
    matrix,
    repair: {
      kind: "columns_gathered",
      target: name,
      description: `one output a class (${came.join(", ")}${columns.length > 10 ? ", …" : ""}); served also as one output ${datatype} [-1,${labels.length}] with their labels`,
    },
  };
}

/** The first matrix of which every column from 0 on is an output, with these in their order. */
function columnSets(
  outputs: readonly DeclaredTensor[],
  graph: GraphIndex,
): { matrix: string | undefined; columns: readonly DeclaredTensor[] } {
  const sets = new Map<string, Map<number, DeclaredTensor>>();
  for (const output of outputs) {
    const isColumn = output.datatype.startsWith("FP") && (output.dimensions?.length ?? 1) <= 2;
    const cut = isColumn ? columnOf(output.name, graph) : undefined;
    if (cut === undefined) continue;
    const set = sets.get(cut.matrix) ?? new Map<number, DeclaredTensor>();
    if (!set.has(cut.column)) set.set(cut.column, output);
    sets.set(cut.matrix, set);
  }
  for (const [matrix, set] of sets) {
    const columns = Array.from(set.keys(), (_, column) => set.get(column));
    const complete = columns.filter((column) => column !== undefined);
    const alike = complete.every(({ datatype }) => datatype === complete[0]?.datatype);
    if (columns.length >= 2 && complete.length === columns.length && alike)
      return { matrix, columns: complete };
  }
  return { matrix: undefined, columns: [] };
}

/** The matrix and the column that an output is cut from. */
function columnOf(outputName: string, graph: GraphIndex): { matrix: string; column: number } | undefined {
  const cut = behindReshapes(outputName, graph);
  const node = graph.producer(cut);
  if (node === undefined || !isStandard(node)) return undefined;
  const matrix = behindReshapes(node.input[0] ?? "", graph);
  if (node.opType === "Split") return { matrix, column: node.output.indexOf(cut) };
  const column = cutColumn(node, graph);
  return column === undefined ? undefined : { matrix, column };
}

function cutColumn(node: NodeProto, graph: GraphIndex): number | undefined {
  const constant = (index: number): number | undefined => {
    const tensor = graph.constant(node.input[index] ?? "");
    const texts = tensor === undefined ? undefined : labelTexts(tensor);
    return texts?.length === 1 ? Number(texts[0]) : undefined;
  };
  if (node.opType === "ArrayFeatureExtractor") return constant(1);
  if (node.opType === "Gather") return attribute(node, "axis")?.i === 1n ? constant(1) : undefined;
  if (node.opType !== "Slice") return undefined;
  const list = (name: string) => attribute(node, name)?.ints.map(Number)[0];
  const [start, end, axis] =
    node.input.length > 1
      ? [constant(1), constant(2), constant(3)]
      : [list("starts"), list("ends"), list("axes")];
  return axis === 1 && start !== undefined && end === start + 1 ? start : undefined;
}

/** The classes as the outputs are named, where the names say them: `s0.0` beside a label 0. */
function classNames(columns: readonly DeclaredTensor[], classes: readonly string[] | undefined): string[] {
  const letter = columns[0]!.name.slice(0, 1);
  const named = columns.map(({ name }) => name.slice(1));
  const isNaming =
    (letter === "s" || letter === "i") &&
    columns.every(({ name }) => name.startsWith(letter)) &&
    named.every((text, index) => {
      const known = classes?.[index];
      return known === undefined || known === text || (text !== "" && Number(text) === Number(known));
    });
  if (isNaming) return named;
  return classes === undefined ? columns.map((_, position) => String(position)) : [...classes];
}

function appendConcat(columns: readonly DeclaredTensor[], name: string, edits: OnnxEdits): void {
  const shape = "assay/column_shape";
  edits.appendNodes.push(makeShape(shape, [-1n, 1n]));
  const parts = columns.map((column, position) => {
    const part = `assay/column_${position}`;
    edits.appendNodes.push(makeNode("Reshape", [column.name, shape], part));
    return part;
  });
  edits.appendNodes.push(makeNode("Concat", parts, name, { axis: 1 }));
}
