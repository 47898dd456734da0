/** The body of MLflow's scoring server as `text/csv`: a line with the names of the columns, and a line for each row. */
import type { ModelInput } from "../../service/check/model-inputs.ts";
import { MOST_ITEMS } from "../../service/check/rule-outline.ts";
import { rowOf } from "../../tensor/datatype.ts";
import { exactInteger } from "../json/json-number.ts";
import type { ExactJson } from "../json/json-text.ts";
import { CsvText } from "./csv-text.ts";
import type { BodyReading } from "./foreign-decoding.ts";
import type { TablePlaces } from "./request-rows.ts";

/** Cells that are read at once. */
const PIECE_CELLS = 8192;
const CELL_BYTES = 40;
/** Each sign is taken in one way only: no text of a mebibyte is gone over again and again. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
/** More than any number needs, as in JSON. */
const MOST_DIGITS = 1000;
/** Characters that take about as long to read as a cell does. */
const CELL_CHARACTERS = 16;
const INTEGER = /^\d+$/;
/** What pandas reads as a missing number. */
const MISSING = new Set(["", "#N/A", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"]);
const FLAGS: Readonly<Record<string, boolean>> = {
  "0": false,
  "1": true,
  FALSE: false,
  False: false,
  TRUE: true,
  True: true,
  false: false,
  true: true,
};

/** Reads a body. */
export function* readCsv(text: string, reading: BodyReading): Generator<undefined, void> {
  const { faults, rows } = reading;
  const csv = new CsvText(text);
  let first = csv.next();
  for (; first?.cells.length === 0 && first.fault === undefined; first = csv.next()) yield;
  if (first === undefined) {
    faults.add(
      "",
      "nothing came; a line with the names of the columns is expected, and a line for each row",
      "csv.empty",
    );
    return;
  }
  if (first.fault !== undefined) {
    faults.add(`line ${first.line}`, first.fault, "csv.syntax");
    return;
  }
  // The index of a table has no name there.
  const places = first.cells.flatMap((name, place) => (name.trim() === "" ? [] : [place]));
  const names = places.map((place) => first.cells[place]!.trim());
  const isNumbered = names.every((name, index) => name === String(index));
  if (!isNumbered && names.every((name) => NUMBER.test(name))) {
    faults.add(`line ${first.line}`, "numbers came; the first line names the columns", "csv.header");
    return;
  }
  const inputs = names.map((name) => rows.inputOf(name));
  const lines: number[] = [];
  const data: ExactJson[][] = [];
  let cells = 0;
  let before = csv.at;
  for (let record = csv.next(); record !== undefined; record = csv.next()) {
    if (record.cells.length === 0 && record.fault === undefined) {
      yield;
      continue;
    }
    if (record.fault !== undefined) {
      faults.add(`line ${record.line}`, record.fault, "csv.syntax");
      return;
    }
    if (data.length === MOST_ITEMS.rows) {
      faults.add(
        "the CSV",
        `more than ${MOST_ITEMS.rows} rows came; a request takes no more`,
        "repeated.max_items",
      );
      return;
    }
    lines.push(record.line);
    const isWhole = record.cells.length === first.cells.length;
    data.push(
      isWhole
        ? places.map((place, index) => cellValue(record.cells[place]!, inputs[index]))
        : [...record.cells],
    );
    rows.heapBytes += record.cells.length * CELL_BYTES;
    cells += record.cells.length + (csv.at - before) / CELL_CHARACTERS;
    before = csv.at;
    if (cells > PIECE_CELLS) {
      cells = 0;
      yield;
    }
  }
  const header = isNumbered ? names.map(Number) : names;
  yield* rows.table(header, data, new CsvPlaces(lines, places, names));
}

/** Lines and columns, from 1. */
class CsvPlaces implements TablePlaces {
  readonly rows = "the CSV";
  readonly header = "line 1";
  private readonly lines: readonly number[];
  private readonly columns: readonly number[];
  private readonly names: readonly string[];

  constructor(lines: readonly number[], columns: readonly number[], names: readonly string[]) {
    this.lines = lines;
    this.columns = columns;
    this.names = names;
  }

  name(index: number): string {
    return `line 1, column ${this.columns[index]! + 1}`;
  }

  row(index: number): string {
    return `line ${this.lines[index]}`;
  }

  value(row: number, index: number): string {
    return `line ${this.lines[row]}, column ${this.columns[index]! + 1}`;
  }

  cell(row: number, _column: string, index: number): string {
    return `${this.value(row, index)} (${this.names[index]})`;
  }
}

/** A cell as its column takes it; as it came where it is no such value, for whoever checks values to say so. */
function cellValue(cell: string, input: ModelInput | undefined): ExactJson {
  if (input === undefined) return cell;
  const { kind } = rowOf(input.datatype);
  if (kind === "text") return cell;
  const word = cell.trim();
  if (MISSING.has(word)) return null;
  if (kind === "flag") return FLAGS[word] ?? cell;
  if (word.length <= MOST_DIGITS && NUMBER.test(word)) {
    if (INTEGER.test(word) && word.length > 15) return exactInteger(word) ?? Number(word);
    return Number(word);
  }
  return FLAGS[word] ?? cell;
}
