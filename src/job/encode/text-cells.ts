import type { DuckDBVector } from "@duckdb/node-api";
import { JOINED_BYTES } from "../../table/duckdb/joined-texts.ts";
import type { TableChunk } from "../../table/table-source.ts";
import type { ColumnMapping, MappedColumn } from "../columns/column-mapping.ts";
import { type JoinedTexts, splitJoinedTexts } from "./joined-texts.ts";
import { isValid, validWords, vectorCells } from "./vector-data.ts";

const CELL_BYTES = 16;
/** DuckDB keeps strings up to this length in the cell itself. */
const INLINE_BYTES = 12;
const INLINE_FROM = 4;
const utf8 = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The texts of one column of a chunk as UTF-8, one after the other: `load` a row, then read `bytes` from `from` to `to`.
 * Valid while the chunk lives.
 */
export interface TextCells {
  bytes: Uint8Array;
  from: number;
  to: number;
  /** False where the row is NULL. */
  load(row: number): boolean;
  /** The row's text; undefined where it is NULL. */
  text(row: number): string | undefined;
}

/** Where a column's middling texts lie already. */
export interface JoinedColumn {
  /** Splits them when first asked. */
  texts(): JoinedTexts;
  readonly position: number;
}

/** Reads a VARCHAR vector; texts that lie in its cells or in `joined` are not copied. */
export function createTextCells(
  vector: DuckDBVector,
  rowCount: number,
  joined: JoinedColumn | undefined,
): TextCells {
  const cells = vectorCells(vector);
  const inline = new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);
  const valid = validWords(vector, rowCount);
  let long = new Uint8Array(256);
  return {
    bytes: inline,
    from: 0,
    to: 0,
    load(row) {
      if (!isValid(valid, row)) return false;
      const at = row * CELL_BYTES;
      const length = cells.getUint32(at, true);
      if (length <= INLINE_BYTES) {
        this.bytes = inline;
        this.from = at + INLINE_FROM;
        this.to = this.from + length;
        return true;
      }
      const texts = length <= JOINED_BYTES.most ? joined?.texts() : undefined;
      if (texts?.has(row)) {
        this.bytes = texts.bytes;
        this.from = texts.from(row, joined!.position);
        this.to = texts.to(row, joined!.position);
        return true;
      }
      if (long.length < length) long = new Uint8Array(2 * length);
      this.bytes = long;
      this.from = 0;
      this.to = utf8.encodeInto(vector.getItem(row) as string, long).written;
      return true;
    },
    text(row) {
      return this.load(row) ? decoder.decode(this.bytes.subarray(this.from, this.to)) : undefined;
    },
  };
}

/** Opens the texts of one column of a chunk. */
export type ChunkTexts = (column: MappedColumn) => TextCells;

/** The texts of a chunk's columns; what was read joined is split once, when a column first needs it. */
export function chunkTexts({ chunk }: TableChunk, joined: ColumnMapping["joined"]): ChunkTexts {
  const { rowCount } = chunk;
  let split: JoinedTexts | undefined;
  const texts = () => {
    const { vectorIndex, columns } = joined!;
    split ??= splitJoinedTexts(chunk.getColumnVector(vectorIndex), rowCount, columns.length);
    return split;
  };
  return ({ column, vectorIndex }) => {
    const position = joined?.columns.indexOf(column) ?? -1;
    const own = position < 0 ? undefined : { texts, position };
    return createTextCells(chunk.getColumnVector(vectorIndex), rowCount, own);
  };
}

/** Moves `from` and `to` past the spaces and tabs at both ends. */
export function trimSpaces(cells: TextCells): void {
  const { bytes } = cells;
  while (cells.from < cells.to && isSpace(bytes[cells.from]!)) cells.from++;
  while (cells.to > cells.from && isSpace(bytes[cells.to - 1]!)) cells.to--;
}

/** True where `trimSpaces` would take something off. */
export function isSpaced({ bytes, from, to }: TextCells): boolean {
  return from < to && (isSpace(bytes[from]!) || isSpace(bytes[to - 1]!));
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09;
}
