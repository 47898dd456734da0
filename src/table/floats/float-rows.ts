import type { DuckDBVector } from "@duckdb/node-api";
import { rowBytes, validityBits } from "../duckdb/vector-memory.ts";

/** Rows of a table of floats that is laid row by row, and which of its columns are written. */
export interface FloatTarget {
  readonly values: Float32Array;
  /** Columns of a row. */
  readonly width: number;
  /** The first column that is written. */
  readonly column: number;
  /** The row that the first row goes to. */
  readonly row: number;
}

/**
 * Copies rows `from` to `from + count` of FLOAT vectors into neighbouring columns of rows; NaN for NULL. Infinity is copied: the
 * model's own check names it.
 */
export function copyFloatRows(
  vectors: readonly DuckDBVector[],
  from: number,
  count: number,
  { values, width, column, row }: FloatTarget,
): void {
  const columns = vectors.map((vector) => floatsOf(vector, from, count));
  const first = row * width + column;
  let index = 0;
  for (; index + 4 <= columns.length; index += 4)
    copyFour(columns, index, values, first + index, width, count);
  for (; index < columns.length; index++) {
    const items = columns[index]!;
    for (let i = 0, at = first + index; i < count; i++, at += width) values[at] = items[i]!;
  }
  for (const [index, vector] of vectors.entries()) {
    const bits = validityBits(vector);
    if (bits === undefined || !hasNulls(bits, from, count)) continue;
    for (let i = 0, at = first + index; i < count; i++, at += width) {
      if (!isValid(bits, from + i)) values[at] = Number.NaN;
    }
  }
}

function floatsOf(vector: DuckDBVector, from: number, count: number): Float32Array {
  const bytes = rowBytes(vector)!;
  return new Float32Array(bytes.buffer, bytes.byteOffset + from * 4, count);
}

/** Whether any of these rows is NULL; looks at eight rows at a time. */
function hasNulls(bits: Uint8Array, from: number, count: number): boolean {
  const end = from + count;
  let row = from;
  while (row < end) {
    if ((row & 7) === 0 && row + 8 <= end) {
      if (bits[row >> 3] !== 0xff) return true;
      row += 8;
    } else if (!isValid(bits, row++)) return true;
  }
  return false;
}

function isValid(bits: Uint8Array, row: number): boolean {
  return ((bits[row >> 3]! >> (row & 7)) & 1) === 1;
}

/** Four neighbours at a time share cache lines of the target: 1.5 times as fast as one by one. */
function copyFour(
  columns: readonly Float32Array[],
  index: number,
  values: Float32Array,
  first: number,
  width: number,
  count: number,
): void {
  const a = columns[index]!;
  const b = columns[index + 1]!;
  const c = columns[index + 2]!;
  const d = columns[index + 3]!;
  for (let i = 0, at = first; i < count; i++, at += width) {
    values[at] = a[i]!;
    values[at + 1] = b[i]!;
    values[at + 2] = c[i]!;
    values[at + 3] = d[i]!;
  }
}
