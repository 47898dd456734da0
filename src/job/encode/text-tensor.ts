import type { DuckDBEnumType } from "@duckdb/node-api";
import type { TableChunk } from "../../table/table-source.ts";
import type { MappedColumn, MappedTensor } from "../columns/column-mapping.ts";
import { jsonFault, unquoted } from "./number-text.ts";
import type { RowFaults } from "./row-faults.ts";
import { type ChunkTexts, isSpaced, type TextCells, trimSpaces } from "./text-cells.ts";
import { isValid, validWords, vectorItems } from "./vector-data.ts";

/** How text reaches inputs of text. */
export interface TextOptions {
  /** Spaces and tabs at both ends are no part of a VARCHAR's text. */
  readonly trimText: boolean;
  /** What a model is given for NULL; undefined: NULL is a fault, since models of text know no missing value. */
  readonly textForNull: string | undefined;
  /** A text that means no value, as NULL does; default: none. */
  readonly nullText?: string | undefined;
  /** NULL is an empty text: of CSV, whose empty cells do not tell which of both is meant. Default: it is no value. */
  readonly nullIsEmptyText?: boolean;
}

const NO_VALUE =
  "no value; inputs of text take no missing values: --text-for-null TEXT gives them the text that the model was trained to read for it ('' for an empty one)";
const LENGTH_BYTES = 4;
const utf8 = new TextEncoder();

const EMPTY = { bytes: new Uint8Array(), from: 0, to: 0 };

/** One row's text as UTF-8; undefined after a fault. */
type ReadCell = (row: number) => { bytes: Uint8Array; from: number; to: number } | undefined;

/** Hears of a text with spaces around it that the model gets as it is. */
type OnSpaced = (column: string, text: string) => void;

/** The raw contents of a BYTES tensor, each text behind its 4-byte length; a row with a fault has an empty one. */
export function encodeTexts(
  tensor: MappedTensor,
  { chunk }: TableChunk,
  options: TextOptions,
  texts: ChunkTexts,
  faults: RowFaults,
  onSpaced: OnSpaced,
): Uint8Array<ArrayBuffer> {
  const { rowCount } = chunk;
  const readers = tensor.columns.map((column) => cellReader(column, chunk, options, texts, faults, onSpaced));
  let bytes = new Uint8Array(rowCount * readers.length * 16 + 64);
  let view = new DataView(bytes.buffer);
  let at = 0;
  for (let row = 0; row < rowCount; row++) {
    for (const read of readers) {
      const cell = read(row);
      const length = cell === undefined ? 0 : cell.to - cell.from;
      if (at + LENGTH_BYTES + length > bytes.length) {
        const larger = new Uint8Array(2 * (bytes.length + length));
        larger.set(bytes);
        bytes = larger;
        view = new DataView(bytes.buffer);
      }
      view.setUint32(at, length, true);
      at += LENGTH_BYTES;
      if (cell === undefined) continue;
      for (let i = cell.from; i < cell.to; i++) bytes[at++] = cell.bytes[i]!;
    }
  }
  return bytes.subarray(0, at);
}

function cellReader(
  column: MappedColumn,
  chunk: TableChunk["chunk"],
  options: TextOptions,
  texts: ChunkTexts,
  faults: RowFaults,
  onSpaced: OnSpaced,
): ReadCell {
  const vector = chunk.getColumnVector(column.vectorIndex);
  const { rowCount } = chunk;
  const forNull = options.textForNull === undefined ? undefined : whole(options.textForNull);
  const missing = (row: number) => {
    if (forNull === undefined) faults.add(row, column.column, NO_VALUE);
    return forNull;
  };
  if (column.kind === "enum") {
    const members = (vector.type as DuckDBEnumType).values.map(whole);
    const items = vectorItems<Uint8Array | Uint16Array | Uint32Array>(vector);
    const valid = validWords(vector, rowCount);
    return (row) => (isValid(valid, row) ? members[items[row]!] : missing(row));
  }
  const cells = texts(column);
  if (column.kind === "json") return jsonReader(column, cells, missing, faults);
  const { nullIsEmptyText = false } = options;
  const nullText = options.nullText === undefined ? undefined : utf8.encode(options.nullText);
  let told = false;
  return (row) => {
    if (!cells.load(row)) return nullIsEmptyText ? EMPTY : missing(row);
    if (nullText !== undefined && equalBytes(cells, nullText)) return missing(row);
    if (options.trimText) trimSpaces(cells);
    else if (!told && isSpaced(cells)) {
      told = true;
      onSpaced(column.column, cells.text(row)!);
    }
    return cells;
  };
}

function equalBytes({ bytes, from, to }: TextCells, text: Uint8Array): boolean {
  if (to - from !== text.length) return false;
  for (let at = 0; at < text.length; at++) if (bytes[from + at] !== text[at]) return false;
  return true;
}

function jsonReader(column: MappedColumn, cells: TextCells, missing: ReadCell, faults: RowFaults): ReadCell {
  return (row) => {
    const literal = cells.text(row);
    if (literal === undefined || literal === "null") return missing(row);
    if (literal.startsWith('"')) return whole(unquoted(literal));
    faults.add(row, column.column, jsonFault(literal, "a string"));
    return undefined;
  };
}

function whole(text: string): { bytes: Uint8Array; from: number; to: number } {
  const bytes = utf8.encode(text);
  return { bytes, from: 0, to: bytes.length };
}
