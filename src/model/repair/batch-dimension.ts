import {
  type DeclaredTensor,
  type Dimension,
  readDeclaredTensor,
  writeDeclaredTensor,
} from "../onnx/declared-tensor.ts";
import { applyEdits, createEdits } from "../onnx/onnx-edit.ts";
import { readOnnxOutline, readTensorName } from "../onnx/onnx-outline.ts";
import type { PreparedModel } from "../prepared-model.ts";

/**
 * The batch dimension as declared input shapes have it. `open`: axis 0 of every input counts rows. `fixed-at-one`: every
 * input takes one row; it may be opened where a check agrees. `fixed-at-many`: the same with some larger number of rows, which is all
 * that a run takes where the check does not agree. `none`: a request is one run.
 */
export type BatchDimension = "open" | "fixed-at-one" | "fixed-at-many" | "none";

/** Decides by the declared shapes of the inputs that a request must bring. */
export function readBatchDimension(inputs: readonly DeclaredTensor[]): BatchDimension {
  if (inputs.length === 0) return "none";
  const first = inputs.map(({ dimensions }) => dimensions?.[0]);
  const ranked = inputs.every(({ dimensions }) => dimensions !== undefined && dimensions.length > 0);
  if (!ranked) return "none";
  if (first.every((dimension) => dimension === 1)) return "fixed-at-one";
  const [rows] = first;
  if (typeof rows === "number" && first.every((dimension) => dimension === rows)) {
    // A vector of fixed length is one row's values.
    return inputs.some(({ dimensions }) => dimensions!.length > 1) ? "fixed-at-many" : "none";
  }
  if (first.some((dimension) => typeof dimension === "number")) return "none";
  return first.some((symbol) => typeof symbol === "string" && standsElsewhere(symbol, inputs))
    ? "none"
    : "open";
}

/** A symbol that counts rows on axis 0 of one input and something on another axis ties axes that rows would split. */
function standsElsewhere(symbol: string, inputs: readonly DeclaredTensor[]): boolean {
  return inputs.some(({ dimensions }) => dimensions?.slice(1).includes(symbol));
}

/** The declaration with axes of length 0, which exporters write for "any", open. */
export function openEmptyAxes(declared: DeclaredTensor): DeclaredTensor {
  if (declared.dimensions?.includes(0) !== true) return declared;
  return {
    ...declared,
    dimensions: declared.dimensions.map((length) => (length === 0 ? undefined : length)),
  };
}

/** The declaration with axis 0 open. */
export function openBatchDimension(declared: DeclaredTensor): DeclaredTensor {
  if (declared.dimensions === undefined || declared.dimensions.length === 0) return declared;
  return { ...declared, dimensions: [undefined, ...declared.dimensions.slice(1)] };
}

/** Axes as a signature has them: -1 where the length may vary. */
export function signatureShape(dimensions: readonly Dimension[]): number[] {
  return dimensions.map((dimension) => (typeof dimension === "number" ? dimension : -1));
}

/**
 * The same model with its batch dimension as its file fixes it, for the case that no session can be made of the graph
 * with the dimension opened. Undefined for models whose file fixes none.
 */
export function keepBatchDimension(model: PreparedModel): PreparedModel | undefined {
  const { fixedRows } = model;
  if (fixedRows === undefined) return undefined;
  const { graph } = readOnnxOutline(model.bytes).model;
  if (graph === undefined) return undefined;
  const stored = new Set(graph.initializer.map(({ name }) => name));
  const edits = createEdits();
  edits.inputs = graph.input.map((value) =>
    stored.has(value.name) ? value : closeAxis(value, "input", fixedRows),
  );
  edits.outputs = graph.output.map((value) => closeAxis(value, "output", fixedRows));
  const notice = `the graph cannot be made with its batch dimension opened: it stays at ${fixedRows}`;

  return {
    ...model,
    // Only one row may be tried by itself.
    ...(fixedRows === 1 ? {} : { fixedRows: undefined }),
    bytes: applyEdits(model.bytes, edits, readTensorName),
    notices: [...model.notices, notice],
  };
}

type Value = Parameters<typeof readDeclaredTensor>[0];

function closeAxis(value: Value, role: "input" | "output", rows: number): Value {
  const declared = readDeclaredTensor(value, role);
  const { dimensions } = declared;
  if (dimensions === undefined || dimensions.length === 0 || dimensions[0] !== undefined) return value;
  return writeDeclaredTensor({ ...declared, dimensions: [rows, ...dimensions.slice(1)] });
}
