import { hasRows, type ModelSignature, type TensorSpec } from "../../model/signature.ts";
import type { NumericArray } from "../../tensor/datatype.ts";
import type { TensorData } from "../../tensor/tensor-data.ts";
import type { CheckedInput, CheckedRows } from "./checked-rows.ts";
import type { InputValues, RowValues } from "./input-values.ts";

/** Adds the optional inputs that a request left out, each with the value that the model's file has for it. */
export function addDefaultInputs(rows: CheckedRows, signature: ModelSignature): CheckedRows {
  if (rows.inputs.length === signature.inputs.length) return rows;
  const came = new Set(rows.inputs.map(({ name }) => name));
  const batched = hasRows(signature);
  const fed = signature.inputs.flatMap((spec) => (came.has(spec.name) ? [] : defaultInput(spec, batched)));
  return fed.length === 0 ? rows : { ...rows, inputs: [...rows.inputs, ...fed] };
}

function defaultInput(spec: TensorSpec, batched: boolean): CheckedInput[] {
  if (spec.defaultValue === undefined) return [];
  const { name, datatype, shape } = spec.defaultValue;
  const row = valuesOf(spec.defaultValue);
  // One row for all: a request of 8,000 rows must not hold 8,000 copies of what nobody sent.
  const values: InputValues = batched ? { kind: "repeated", row } : row;
  return [{ name, datatype, tailShape: batched ? shape.slice(1) : shape, values }];
}

function valuesOf({ datatype, data }: TensorData): RowValues {
  if (datatype === "BYTES") return { kind: "strings", values: data as readonly string[] };
  const { buffer, byteOffset, byteLength } = data as NumericArray;
  return { kind: "raw", bytes: new Uint8Array(buffer, byteOffset, byteLength) };
}
