import type { TableChunk } from "../../table/table-source.ts";
import type { MappedColumn } from "../columns/column-mapping.ts";
import { jsonFault, shown } from "./number-text.ts";
import type { RowFaults } from "./row-faults.ts";
import type { Stride } from "./tensor-writer.ts";
import type { ChunkTexts } from "./text-cells.ts";
import { isValid, validWords, vectorCells } from "./vector-data.ts";

const TEXTS: ReadonlyMap<string, number> = new Map([
  ["true", 1],
  ["1", 1],
  ["false", 0],
  ["0", 0],
]);

/** Writes a column into a BOOL tensor: BOOLEAN, text (`true`, `false` in any case, 1, 0) or JSON (true, false). */
export function writeBooleans(
  column: MappedColumn,
  { chunk }: TableChunk,
  target: Uint8Array,
  { at, step, rowCount }: Stride,
  texts: ChunkTexts,
  faults: RowFaults,
): void {
  const vector = chunk.getColumnVector(column.vectorIndex);
  if (column.kind === "boolean") {
    const cells = vectorCells(vector);
    const valid = validWords(vector, rowCount);
    for (let row = 0; row < rowCount; row++) {
      target[at + row * step] = cells.getUint8(row) === 0 ? 0 : 1;
      if (!isValid(valid, row)) faults.add(row, column.column, MISSING);
    }
    return;
  }
  const cells = texts(column);
  for (let row = 0; row < rowCount; row++) {
    const text = cells.text(row)?.trim() ?? "";
    const value = column.kind === "json" && /^[01]$/.test(text) ? undefined : TEXTS.get(text.toLowerCase());
    if (value !== undefined) target[at + row * step] = value;
    else if (text === "" || (column.kind === "json" && text === "null"))
      faults.add(row, column.column, MISSING);
    else if (column.kind === "json") faults.add(row, column.column, jsonFault(text, "true or false"));
    else faults.add(row, column.column, `${shown(text)} is neither true nor false`);
  }
}

const MISSING = "no value; BOOL takes no missing values";
