import type { DuckDBVector } from "@duckdb/node-api";
import { isValid, validWords, vectorItems } from "./vector-data.ts";

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
