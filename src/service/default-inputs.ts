import type { ModelSignature, TensorSpec } from "../model/signature.ts";
import type { NumericArray } from "../tensor/datatype.ts";
import type { CheckedInput, CheckedRows } from "./checked-rows.ts";

/** Adds the optional inputs that a request left out, each with the value that the model's file has for it. */
export function addDefaultInputs(rows: CheckedRows, signature: ModelSignature): CheckedRows {
  if (rows.inputs.length === signature.inputs.length) return rows;
  const came = new Set(rows.inputs.map(({ name }) => name));
  const batched = signature.batching !== "no-batch-dimension";
  const fed = signature.inputs.flatMap((spec) =>
    came.has(spec.name) ? [] : defaultInput(spec, batched, rows.rowCount),
  );
  return fed.length === 0 ? rows : { ...rows, inputs: [...rows.inputs, ...fed] };
}

function defaultInput(spec: TensorSpec, batched: boolean, rowCount: number): CheckedInput[] {
  if (spec.defaultValue === undefined) return [];
  const { name, datatype, shape, data } = spec.defaultValue;
  const tailShape = batched ? shape.slice(1) : shape;
  const copies = batched ? rowCount : 1;
  if (datatype === "BYTES") {
    const values = Array.from({ length: copies }, () => data as readonly string[]).flat();
    return [{ name, datatype, tailShape, values: { kind: "strings", values } }];
  }
  const { buffer, byteOffset, byteLength } = data as NumericArray;
  const row = new Uint8Array(buffer, byteOffset, byteLength);
  const bytes = new Uint8Array(byteLength * copies);
  for (let i = 0; i < copies; i++) bytes.set(row, i * byteLength);
  return [{ name, datatype, tailShape, values: { kind: "raw", bytes } }];
}
