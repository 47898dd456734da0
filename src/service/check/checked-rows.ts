import type { EntryInput } from "../../batcher/batcher.ts";
import type { ModelSignature } from "../../model/signature.ts";
import { elementBytes } from "../../tensor/datatype.ts";
import { elementCount } from "../../tensor/tensor-data.ts";
import type { InputValues } from "./input-values.ts";

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
