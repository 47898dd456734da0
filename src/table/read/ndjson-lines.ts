/** The lines of NDJSON files: where a row stands, and which rows are no objects. */
import type { DuckdbSession } from "../duckdb/duckdb-session.ts";
import { sqlPath } from "../duckdb/sql-text.ts";
import type { Packing } from "../file-kind.ts";
import { tableError } from "../table-error.ts";
import { openBytes } from "./file-bytes.ts";
import type { RowsWithFaults } from "./table-file.ts";

/** A file with more lines that are no objects is no NDJSON. */
const MOST_BAD_LINES = 1_000_000;
const SHOWN_CHARACTERS = 60;
/** Of a line, what a message may need. */
const KEPT_BYTES = 4096;

/** A file of JSON objects, and where its text came from. */
export interface NdjsonOrigin {
  /** For messages. */
  readonly name: string;
  readonly path: string;
  readonly packing: Packing;
  /** Objects line by line, or in one array. */
  readonly layout: "newline_delimited" | "array";
  /** Lines of the input before this file's first. */
  readonly linesBefore: number;
  /** A line that is no object is a row with a fault; else it ends the reading. Only for objects line by line. */
  readonly keepsBadLines: boolean;
}

/** A line that holds a row. */
export interface RowLine {
  /** In the whole input, from 1. */
  readonly line: number;
  /** As far as it is short. */
  readonly text: string;
}

/** The line that holds a row, from 1; blank lines hold none. */
export async function lineOfRow(origin: NdjsonOrigin, row: number): Promise<RowLine> {
  for await (const each of rowLines(origin, [row])) return each;
  return { line: origin.linesBefore + 1, text: "" };
}

/** The lines of some rows, which are numbered from 1 and come in their order. Reads the file once. */
async function* rowLines(origin: NdjsonOrigin, rows: Iterable<number>): AsyncGenerator<RowLine> {
  const wanted = rows[Symbol.iterator]();
  let next = wanted.next();
  let line = origin.linesBefore + 1;
  let row = 0;
  let held: Buffer[] = [];
  let isBlank = true;
  const take = (): RowLine => {
    const text = Buffer.concat(held).subarray(0, KEPT_BYTES).toString("utf8");
    return { line, text: text.replace(/^\ufeff/, "").replace(/\r$/, "") };
  };
  for await (const bytes of openBytes(origin.path, origin.packing) as AsyncIterable<Buffer>) {
    for (let from = 0; from < bytes.length; ) {
      const end = bytes.indexOf(10, from);
      const part = bytes.subarray(from, end < 0 ? bytes.length : end);
      from = end < 0 ? bytes.length : end + 1;
      if (isBlank && part.some((byte) => byte !== 32 && byte !== 9 && byte !== 13)) {
        isBlank = false;
        row++;
      }
      if (!next.done && row === next.value && held.length < 4) held.push(part.subarray(0, KEPT_BYTES));
      if (end < 0) continue;
      if (!isBlank && !next.done && row === next.value) {
        yield take();
        next = wanted.next();
        if (next.done) return;
      }
      held = [];
      isBlank = true;
      line++;
    }
  }
  if (!isBlank && !next.done && row === next.value) yield take();
}

/**
 * Finds the rows that are no objects, or have a key twice, by reading the file once. Throws a TABLE_INVALID where there are so
 * many that the file is no NDJSON.
 */
export async function badLines(
  session: DuckdbSession,
  origin: NdjsonOrigin,
  readOptions: string,
): Promise<RowsWithFaults> {
  const objects = `read_json_objects(${sqlPath(origin.path)}, ${readOptions})`;
  const found = await session.rows(
    `SELECT row_at, twice FROM (SELECT row_number() OVER () AS row_at, CASE WHEN json IS NULL THEN FALSE WHEN json_type(json) <> 'OBJECT' THEN FALSE ` +
      `WHEN len(json_keys(json)) <> len(list_distinct(json_keys(json))) THEN TRUE END AS twice FROM ${objects}) ` +
      `WHERE twice IS NOT NULL LIMIT ${MOST_BAD_LINES + 1}`,
  );
  if (found.length > MOST_BAD_LINES) {
    throw tableError(`${origin.name}: more than ${MOST_BAD_LINES} lines are no JSON objects; is it NDJSON?`);
  }
  const rows = found.map(([at]) => Number(at));
  const twice = new Set(found.filter(([, isTwice]) => isTwice === true).map(([at]) => Number(at)));
  let lines: AsyncGenerator<RowLine> | undefined;
  let told = 0;
  return {
    async of(fromRow, rowCount) {
      const faults = new Map<number, string>();
      let at = firstFrom(rows, fromRow + 1);
      if (at >= rows.length || rows[at]! > fromRow + rowCount) return faults;
      if (lines === undefined || told !== at) {
        await lines?.return(undefined);
        lines = rowLines(origin, rows.slice(at));
      }
      for (; at < rows.length && rows[at]! <= fromRow + rowCount; at++) {
        const { value } = await lines.next();
        const { line, text } = value as RowLine;
        const what = twice.has(rows[at]!) ? "has a key twice" : "is not a JSON object";
        faults.set(rows[at]! - 1 - fromRow, `line ${line} ${what}: ${shortened(text)}`);
      }
      told = at;
      return faults;
    },
  };
}

/** The position of the first number that is not below `least`. */
function firstFrom(sorted: readonly number[], least: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

function shortened(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
