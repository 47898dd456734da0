import type { EntryInput } from "../../batcher/batcher.ts";
import { hasRows, type ModelSignature, type TensorSpec } from "../../model/signature.ts";
import { elementBytes, type NumericArray } from "../../tensor/datatype.ts";
import { elementCount, type TensorData } from "../../tensor/tensor-data.ts";
import type { InputValues, RowValues } from "./input-values.ts";

/** One input that fits the model's signature, with its elements. */
export interface CheckedInput extends EntryInput {
  readonly values: InputValues;
}

/** Rows that fit the model's signature, ready for the batcher. */
export interface CheckedRows {
  readonly rowCount: number;
  readonly inputs: readonly CheckedInput[];
}

interface KeyedShape {
  readonly names: readonly string[];
  readonly tailShapes: readonly (readonly number[])[];
  readonly key: string;
}

/** The latest shape of each model: nearly all requests to a model have the same. */
const latest = new WeakMap<ModelSignature, KeyedShape>();

/** The names and tail shapes of inputs as one string: rows share a batch only if theirs are equal. */
export function shapeKey(inputs: readonly EntryInput[], signature: ModelSignature): string {
  const last = latest.get(signature);
  if (last !== undefined && hasShape(inputs, last)) return last.key;
  let key = "";
  for (const input of inputs) key += `${input.name}\u0000${input.tailShape.join(",")};`;
  const names = inputs.map((input) => input.name);
  latest.set(signature, { names, tailShapes: inputs.map((input) => input.tailShape), key });
  return key;
}

function hasShape(inputs: readonly EntryInput[], { names, tailShapes }: KeyedShape): boolean {
  if (inputs.length !== names.length) return false;
  for (let i = 0; i < inputs.length; i++) {
    const { name, tailShape } = inputs[i]!;
    const other = tailShapes[i]!;
    if (name !== names[i] || tailShape.length !== other.length) return false;
    for (let axis = 0; axis < other.length; axis++) if (tailShape[axis] !== other[axis]) return false;
  }
  return true;
}

/** What the rows take in the queue. */
export function byteCount(rows: CheckedRows): number {
  let bytes = 0;
  for (const input of rows.inputs) {
    const { values } = input;
    if (values.kind === "strings") bytes += textBytes(values.values);
    else if (values.kind === "repeated" && values.row.kind === "strings") {
      bytes += rows.rowCount * textBytes(values.row.values);
    } else bytes += rows.rowCount * elementCount(input.tailShape) * elementBytes(input.datatype);
  }
  return bytes;
}

function textBytes(texts: readonly string[]): number {
  let bytes = 0;
  for (const text of texts) bytes += 4 + text.length;
  return bytes;
}

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
