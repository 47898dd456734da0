import type { DuckDBListVector, DuckDBVector } from "@duckdb/node-api";
import type { TableChunk } from "../../table/table-source.ts";
import type { MappedTensor } from "../columns/column-mapping.ts";
import { isValid, validWords, vectorItems } from "./vector-data.ts";

/**
 * The raw contents of an FP32 tensor whose rows were read as lists of floats; NaN for NULL. They are the vector's own copy, so
 * they outlive the chunk.
 */
export function packedFloats(
  { columns }: MappedTensor,
  vectorIndex: number,
  { chunk }: TableChunk,
): Uint8Array<ArrayBuffer> {
  const { rowCount } = chunk;
  const width = columns.length;
  const lists = chunk.getColumnVector(vectorIndex) as DuckDBListVector;
  const child = lists.childVector;
  const items = vectorItems<Float32Array<ArrayBuffer>>(child);
  const valid = validWords(child, items.length);
  if (valid !== undefined) {
    for (let at = 0; at < items.length; at++) if (!isValid(valid, at)) items[at] = Number.NaN;
  }
  const from = lists.getEntryOffset(0);
  const isWhole = lists.getEntryOffset(rowCount - 1) === from + (rowCount - 1) * width;
  const floats = isWhole
    ? items.subarray(from, from + rowCount * width)
    : gathered(lists, items, rowCount, width);
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

/** DuckDB may leave gaps between the lists of a chunk that it cut. */
function gathered(
  lists: DuckDBListVector,
  items: Float32Array,
  rowCount: number,
  width: number,
): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(rowCount * width);
  for (let row = 0; row < rowCount; row++) {
    const from = lists.getEntryOffset(row);
    floats.set(items.subarray(from, from + width), row * width);
  }
  return floats;
}

/**
 * Copies FLOAT vectors into neighbouring columns of a row-major FP32 tensor of `step` columns, from column `at` on; NaN for
 * NULL. Infinity is copied: the model's own check names it.
 */
export function copyFloats(
  vectors: readonly DuckDBVector[],
  target: Float32Array,
  at: number,
  step: number,
  rowCount: number,
): void {
  const columns = vectors.map((vector) => vectorItems<Float32Array>(vector));
  let column = 0;
  for (; column + 4 <= columns.length; column += 4)
    copyFour(columns, column, target, at + column, step, rowCount);
  for (; column < columns.length; column++) {
    const items = columns[column]!;
    for (let row = 0, i = at + column; row < rowCount; row++, i += step) target[i] = items[row]!;
  }
  for (const [index, vector] of vectors.entries()) {
    const valid = validWords(vector, rowCount);
    if (valid === undefined) continue;
    const from = at + index;
    for (let row = 0; row < rowCount; row++) if (!isValid(valid, row)) target[from + row * step] = Number.NaN;
  }
}

/** Four neighbours at a time share cache lines of the target: 1.5 times as fast as one by one. */
function copyFour(
  columns: readonly Float32Array[],
  from: number,
  target: Float32Array,
  at: number,
  step: number,
  rowCount: number,
): void {
  const a = columns[from]!;
  const b = columns[from + 1]!;
  const c = columns[from + 2]!;
  const d = columns[from + 3]!;
  for (let row = 0, i = at; row < rowCount; row++, i += step) {
    target[i] = a[row]!;
    target[i + 1] = b[row]!;
    target[i + 2] = c[row]!;
    target[i + 3] = d[row]!;
  }
}
