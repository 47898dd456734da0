import { readDeclaredTensor, writeDeclaredTensor } from "../onnx/declared-tensor.ts";
import { applyEdits, createEdits } from "../onnx/onnx-edit.ts";
import { readOnnxOutline, readTensorName } from "../onnx/onnx-outline.ts";
import type { PreparedModel } from "../prepared-model.ts";

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
