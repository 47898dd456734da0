import { COMMA, POINT, parseNumber } from "./cell-number.ts";
import type { RowFaults } from "./row-faults.ts";
import { type TextCells, trimSpaces } from "./text-cells.ts";

/** Options of reading text as numbers. */
export interface NumberTextOptions {
  /** Texts that stand for a missing number; the empty text always does. */
  readonly nullTexts: ReadonlySet<string>;
  /** Fractions come after a comma, and a point is a fault. */
  readonly decimalComma: boolean;
}

const SHOWN_CHARACTERS = 60;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Reads cells of text; spaces around a number are no part of it. NaN for a missing number and where a fault was added. */
export function readTextNumbers(
  cells: TextCells,
  column: string,
  rowCount: number,
  values: Float64Array,
  options: NumberTextOptions,
  faults: RowFaults,
): void {
  const separator = options.decimalComma ? COMMA : POINT;
  const nullNumbers = hasNumber(options.nullTexts, separator);
  for (let row = 0; row < rowCount; row++) {
    values[row] = Number.NaN;
    if (!cells.load(row)) continue;
    trimSpaces(cells);
    if (cells.from === cells.to) continue;
    const number = parseNumber(cells.bytes, cells.from, cells.to, separator);
    if (Number.isFinite(number) && !nullNumbers) {
      values[row] = number;
      continue;
    }
    const text = spelled(cells);
    if (options.nullTexts.has(text)) continue;
    if (Number.isNaN(number)) faults.add(row, column, `${shown(text)} is not a number${hint(text, options)}`);
    else if (!Number.isFinite(number)) faults.add(row, column, `${shown(text)} is too large a number`);
    else values[row] = number;
  }
}

/** Reads cells of JSON literals: a number, null for a missing one, true and false as 1 and 0. A string may be a null text. */
export function readJsonNumbers(
  cells: TextCells,
  column: string,
  rowCount: number,
  values: Float64Array,
  options: NumberTextOptions,
  faults: RowFaults,
): void {
  const nullNumbers = hasNumber(options.nullTexts, POINT);
  for (let row = 0; row < rowCount; row++) {
    values[row] = Number.NaN;
    if (!cells.load(row)) continue;
    const number = parseNumber(cells.bytes, cells.from, cells.to, POINT);
    if (Number.isFinite(number) && !nullNumbers) {
      values[row] = number;
      continue;
    }
    const text = spelled(cells);
    if (text === "null" || options.nullTexts.has(text)) continue;
    if (Number.isFinite(number)) {
      values[row] = number;
      continue;
    }
    if (number === Number.POSITIVE_INFINITY || number === Number.NEGATIVE_INFINITY) {
      faults.add(row, column, `${shown(text)} is too large a number`);
      continue;
    }
    if (text === "true" || text === "false") values[row] = text === "true" ? 1 : 0;
    else if (!text.startsWith('"') || !options.nullTexts.has(unquoted(text)))
      faults.add(row, column, jsonFault(text, "a number or null"));
  }
}

/** Says what is wrong with a JSON literal of the wrong type. */
export function jsonFault(literal: string, expected: string): string {
  const kind = literal.startsWith('"')
    ? `the string ${shown(unquoted(literal))}`
    : literal.startsWith("{")
      ? "an object"
      : literal.startsWith("[")
        ? "a list"
        : cut(literal);
  return `${kind} came; ${expected} is expected`;
}

/** A text for a message, quoted and cut. */
export function shown(text: string): string {
  return JSON.stringify(cut(text));
}

function cut(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

/** The string that a JSON string literal means. */
export function unquoted(literal: string): string {
  return JSON.parse(literal) as string;
}

function hint(text: string, options: NumberTextOptions): string {
  if (!options.decimalComma && /^[+-]?\d+,\d+$/.test(text)) return "; --decimal-comma reads decimal commas";
  if (options.decimalComma && /^[+-]?\d*\.\d+$/.test(text)) return "; decimal commas are expected";
  return /^(n\/?a|nan|null|none|nil|missing|\?|-|\.|#n\/a)$/i.test(text)
    ? "; --null-values says which texts mean a missing number"
    : "";
}

function spelled(cells: TextCells): string {
  return utf8.decode(cells.bytes.subarray(cells.from, cells.to));
}

function hasNumber(texts: ReadonlySet<string>, separator: number): boolean {
  for (const text of texts) {
    const bytes = encoder.encode(text);
    if (!Number.isNaN(parseNumber(bytes, 0, bytes.length, separator))) return true;
  }
  return false;
}
