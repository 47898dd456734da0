import { create } from "@bufbuild/protobuf";
import { NodeProtoSchema, TensorProto_DataType, TensorProtoSchema } from "../../gen/onnx/onnx-ml_pb.ts";
import type { DeclaredTensor } from "./declared-tensor.ts";
import type { OnnxEdits } from "./onnx-edit.ts";
import type { Repair } from "./signature.ts";

/** The outputs of a class each that make up one probability matrix. */
export interface GatheredColumns {
  readonly output: DeclaredTensor;
  readonly labels: readonly string[];
  readonly repair: Repair;
}

/**
 * Finds what skl2onnx's `zipmap='columns'` leaves: beside a label output one float output a class, named by the type
 * letter (`s`, `i`) and the label, and adds an output that joins them to `[N, classes]`. The columns stay as they are.
 */
export function gatherColumns(
  outputs: readonly DeclaredTensor[],
  tracedLabels: readonly string[] | undefined,
  hasMatrix: boolean,
  isTaken: (valueName: string) => boolean,
  edits: OnnxEdits,
): GatheredColumns | undefined {
  if (hasMatrix) return undefined;
  const label = outputs.find(isLabel);
  const columns = outputs.filter(isColumn);
  if (label === undefined || columns.length < 2) return undefined;
  const letter = label.datatype === "BYTES" ? "s" : "i";
  const labels = columns.map(({ name }) => name.slice(1));
  const named = columns.every(({ name }) => name.startsWith(letter));
  const expected = new Set(tracedLabels ?? labels);
  const complete = labels.length === expected.size && labels.every((text) => expected.has(text));
  const integers = letter === "s" || labels.every((text) => /^-?\d+$/.test(text));
  if (!named || !complete || !integers) return undefined;
  const name = ["probabilities", "output_probability", "class_probabilities"].find((free) => !isTaken(free));
  if (name === undefined) return undefined;
  appendConcat(columns, name, edits);
  const came = columns.map((column) => column.name).slice(0, 10);
  return {
    output: { name, datatype: "FP32", dimensions: [undefined, labels.length] },
    labels,
    repair: {
      kind: "columns_gathered",
      target: name,
      description: `one output a class (${came.join(", ")}${columns.length > 10 ? ", …" : ""}); served also as one output FP32 [-1,${labels.length}] with their labels`,
    },
  };
}

function isLabel(output: DeclaredTensor): boolean {
  const { datatype, dimensions } = output;
  return (datatype === "BYTES" || datatype === "INT64") && (dimensions?.length ?? 0) <= 2;
}

function isColumn(output: DeclaredTensor): boolean {
  return output.datatype === "FP32" && output.dimensions?.length === 1;
}

function appendConcat(columns: readonly DeclaredTensor[], name: string, edits: OnnxEdits): void {
  const shape = "assay/column_shape";
  edits.appendNodes.push(
    create(NodeProtoSchema, {
      opType: "Constant",
      output: [shape],
      attribute: [
        {
          name: "value",
          type: 4,
          t: create(TensorProtoSchema, {
            dims: [2n],
            dataType: TensorProto_DataType.INT64,
            int64Data: [-1n, 1n],
          }),
        },
      ],
    }),
  );
  const parts = columns.map((column, position) => {
    const part = `assay/column_${position}`;
    edits.appendNodes.push(
      create(NodeProtoSchema, { opType: "Reshape", input: [column.name, shape], output: [part] }),
    );
    return part;
  });
  edits.appendNodes.push(
    create(NodeProtoSchema, {
      opType: "Concat",
      input: parts,
      output: [name],
      attribute: [{ name: "axis", type: 2, i: 1n }],
    }),
  );
}
