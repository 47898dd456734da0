import type { DuckDBVector } from "@duckdb/node-api";
import type { ColumnKind } from "../columns/column-kind.ts";
import type { MappedColumn } from "../columns/column-mapping.ts";
import { type NumberTextOptions, readJsonNumbers, readTextNumbers } from "./number-text.ts";
import type { RowFaults } from "./row-faults.ts";
import type { ChunkTexts } from "./text-cells.ts";
import { isValid, validWords, vectorCells, vectorItems } from "./vector-data.ts";

/** The numbers of one column of a chunk; NaN where there is none, NULL and cells with a fault included. */
export interface NumberColumn {
  readonly values: Float64Array;
  /** The exact value of a row whose number is beyond 2^53; undefined where digits are lost. */
  exact(row: number): bigint | undefined;
}

const never = () => undefined;

/** Reads a column of any kind but `enum`, `time`, `nested` and `other` into `values`. */
export function readNumbers(
  vector: DuckDBVector,
  column: MappedColumn,
  rowCount: number,
  values: Float64Array,
  options: NumberTextOptions,
  texts: ChunkTexts,
  faults: RowFaults,
): NumberColumn {
  const { kind } = column;
  if (kind === "text" || kind === "json") {
    const cells = texts(column);
    const read = kind === "json" ? readJsonNumbers : readTextNumbers;
    read(cells, column.column, rowCount, values, options, faults);
    return { values, exact: (row) => wholeNumber(cells.text(row)) };
  }
  const exact = readTyped(vector, kind, rowCount, values);
  markNulls(vector, rowCount, values);
  return { values, exact };
}

function readTyped(
  vector: DuckDBVector,
  kind: ColumnKind,
  rowCount: number,
  values: Float64Array,
): NumberColumn["exact"] {
  if (kind === "boolean") {
    const cells = vectorCells(vector);
    for (let row = 0; row < rowCount; row++) values[row] = cells.getUint8(row) === 0 ? 0 : 1;
    return never;
  }
  if (kind === "int64" || kind === "uint64") {
    const items = vectorItems<BigInt64Array | BigUint64Array>(vector);
    readWide(items, kind === "int64", rowCount, values);
    return (row) => items[row];
  }
  // Conversion between typed arrays runs outside of JavaScript.
  values.set(vectorItems<Float64Array>(vector).subarray(0, rowCount));
  return never;
}

/** 64-bit integers as the nearest doubles, without a BigInt a value. */
function readWide(
  items: BigInt64Array | BigUint64Array,
  signed: boolean,
  rowCount: number,
  values: Float64Array,
): void {
  const low = new Uint32Array(items.buffer, items.byteOffset, 2 * rowCount);
  const high = signed ? new Int32Array(items.buffer, items.byteOffset, 2 * rowCount) : low;
  for (let row = 0; row < rowCount; row++) values[row] = high[2 * row + 1]! * 4294967296 + low[2 * row]!;
}

function markNulls(vector: DuckDBVector, rowCount: number, values: Float64Array): void {
  const valid = validWords(vector, rowCount);
  if (valid === undefined) return;
  for (let row = 0; row < rowCount; row++) if (!isValid(valid, row)) values[row] = Number.NaN;
}

function wholeNumber(text: string | undefined): bigint | undefined {
  const trimmed = text?.trim() ?? "";
  return /^[+-]?\d{1,30}$/.test(trimmed) ? BigInt(trimmed.replace("+", "")) : undefined;
}
