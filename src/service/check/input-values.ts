import { Buffer } from "node:buffer";
import type { RowWriter } from "../../batcher/batcher.ts";
import type { NumericArray } from "../../tensor/datatype.ts";
import { copyOctets } from "../../tensor/octet-copy.ts";

/** The checked elements of one input: those of all rows, or of one row that all are alike. */
export type InputValues = RowValues | { readonly kind: "repeated"; readonly row: RowValues };

/** Elements, row-major, where they lie: decoded lists, strings, or raw little-endian bytes of the input's own datatype. */
export type RowValues =
  | { readonly kind: "numbers"; readonly values: ArrayLike<number> }
  | { readonly kind: "integers"; readonly values: ArrayLike<bigint> }
  | { readonly kind: "booleans"; readonly values: ArrayLike<boolean> }
  | { readonly kind: "strings"; readonly values: readonly string[] }
  | { readonly kind: "raw"; readonly bytes: Uint8Array };

/** Copies `count` elements from `from` on to input `inputIndex` of the writer. */
export function copyValues(
  values: InputValues,
  writer: RowWriter,
  inputIndex: number,
  from: number,
  count: number,
): void {
  switch (values.kind) {
    case "strings":
      writer.strings(
        inputIndex,
        count === values.values.length ? values.values : slice(values.values, from, count),
      );
      return;
    case "raw": {
      const target = writer.numeric(inputIndex);
      const size = target.BYTES_PER_ELEMENT;
      const isAll = values.bytes.length === count * size;
      const bytes = isAll ? values.bytes : values.bytes.subarray(from * size, (from + count) * size);
      copyOctets(bytes, new Uint8Array(target.buffer, target.byteOffset, target.byteLength));
      return;
    }
    case "repeated":
      repeatRow(values.row, writer, inputIndex, count);
      return;
    case "numbers":
      copyNumbers(values.values, writer.numeric(inputIndex), from, count);
      return;
    case "integers":
      copyIntegers(values.values, writer.numeric(inputIndex), from, count);
      return;
    case "booleans": {
      const target = writer.numeric(inputIndex) as Uint8Array;
      for (let i = 0; i < count; i++) target[i] = values.values[from + i] ? 1 : 0;
    }
  }
}

function repeatRow(row: RowValues, writer: RowWriter, inputIndex: number, count: number): void {
  if (row.kind === "strings") {
    writer.strings(inputIndex, repeated(row.values, count));
    return;
  }
  if (row.kind !== "raw") throw new TypeError(`a row of ${row.kind} is not repeated`);
  if (count === 0 || row.bytes.length === 0) return;
  const target = writer.numeric(inputIndex);
  // Fills the whole with copies one after another.
  Buffer.from(target.buffer, target.byteOffset, target.byteLength).fill(row.bytes);
}

function* repeated(values: readonly string[], count: number): Generator<string> {
  for (let at = 0; at < count; at += Math.max(1, values.length)) yield* values;
}

function slice(values: readonly string[], from: number, count: number): readonly string[] {
  return values.slice(from, from + count);
}

function copyNumbers(values: ArrayLike<number>, target: NumericArray, from: number, count: number): void {
  if (target instanceof BigInt64Array || target instanceof BigUint64Array) {
    for (let i = 0; i < count; i++) target[i] = BigInt(values[from + i]!);
    return;
  }
  for (let i = 0; i < count; i++) target[i] = values[from + i]!;
}

function copyIntegers(values: ArrayLike<bigint>, target: NumericArray, from: number, count: number): void {
  const integers = target as BigInt64Array;
  for (let i = 0; i < count; i++) integers[i] = values[from + i]!;
}
