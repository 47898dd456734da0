import { tableError } from "../table-error.ts";

/** The way CSV files are written, as far as told. */
export interface CsvOptions {
  /** One ASCII character, or `\t`. Default: `,`, `;`, tab or `|`, whichever splits the first records most evenly. */
  readonly delimiter?: string | undefined;
  /** One ASCII character, doubled inside quotes; empty: nothing is quoted. Default: `"`. */
  readonly quote?: string | undefined;
  /** Whether the first record is the names. Default: true; without names, columns are `column0`, `column1`, … */
  readonly header?: boolean | undefined;
  /** Default: UTF-8. */
  readonly encoding?: CsvEncoding | undefined;
}

/** The encodings that DuckDB is given; UTF-16 is made UTF-8 before. */
export type CsvEncoding = "utf-8" | "latin-1";

/** The way a CSV file is written, and its columns. */
export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly header: boolean;
  readonly encoding: CsvEncoding;
  readonly names: readonly string[];
  /** Those that are also values of their column in the first records: the header may be a row. */
  readonly namesAmongValues: readonly string[];
  /** Blank lines before the first record. */
  readonly skippedLines: number;
}

const DELIMITERS = [";", "\t", "|", ","];
const RECORDS_LOOKED_AT = 200;
const LINE_ENDS = /\r\n|\n|\r/g;
const END_NAMES: Readonly<Record<string, string>> = { "\r\n": "CRLF", "\n": "LF", "\r": "CR" };

/** Tells a file's dialect from its first bytes. Throws a TABLE_INVALID that names the file. */
export function csvDialect(name: string, head: Buffer, options: CsvOptions): CsvDialect {
  const encoding = options.encoding ?? "utf-8";
  const quote = oneCharacter("quote", options.quote ?? '"', true);
  const header = options.header ?? true;
  const whole = decode(head, encoding);
  const excel = excelDelimiter(whole);
  const text = whole.slice(excel?.end ?? 0).replace(/^(\r\n|\n|\r)+/, "");
  const skipped = whole.slice(0, whole.length - text.length).match(LINE_ENDS) ?? [];
  const skippedLines = skipped.length;
  const told =
    options.delimiter ?? excel?.delimiter ?? (/\.tsv(\.(gz|zstd?))?$/i.test(name) ? "\t" : undefined);
  const delimiter =
    told === undefined
      ? detectDelimiter(text, quote)
      : oneCharacter("delimiter", told === "\\t" ? "\t" : told, false);
  const first = splitRecords(text, delimiter, quote, 1)[0];
  if (first === undefined) {
    const expected = header
      ? "a header line is expected; --no-csv-header says that there is none"
      : "it has no rows";
    throw tableError(`${name} is empty: ${expected}`);
  }
  const ends = new Set([...skipped, ...endOfRecord(text, delimiter, quote)]);
  // DuckDB skips lines by the end that it finds first, and would find no row after them.
  if (skippedLines > 0 && ends.size > 1) {
    throw tableError(
      `${name}: its first lines, ${excel === undefined ? "which are blank" : "the one with sep= among them"}, end in another way than the header (${[...ends].map((end) => END_NAMES[end]).join(" and ")}); store it with one kind of line end, or leave these lines out`,
    );
  }
  const names = first.map((value, index) => (header && value !== "" ? value : `column${index}`));
  if (encoding === "utf-8" && names.some((column) => column.includes("\ufffd"))) {
    throw notUtf8(name, 1 + skippedLines);
  }
  const records = header ? splitRecords(text, delimiter, quote, RECORDS_LOOKED_AT).slice(1) : [];
  const namesAmongValues = names.filter((column, index) =>
    records.some((record) => record[index] === column),
  );
  return { delimiter, quote, header, encoding, names, namesAmongValues, skippedLines };
}

/** The delimiter that a first line `sep=;` says, which Excel writes and takes off, and where that line ends. */
export function excelDelimiter(
  text: string,
): { readonly delimiter: string; readonly end: number } | undefined {
  const line = /^\ufeff?(?:sep=([\t\x20-\x7e])|"sep=([\t\x20-\x7e])")(?:\r\n|\n|\r)/i.exec(text);
  return line === null ? undefined : { delimiter: line[1] ?? line[2]!, end: line[0].length };
}

/** The error for bytes that are not UTF-8. */
export function notUtf8(name: string, line: number | undefined, cause?: unknown): Error {
  const at = line === undefined ? "" : `, line ${line}`;
  return tableError(
    `${name}${at}: the text is not UTF-8; if it is Latin-1, say --csv-encoding latin-1`,
    cause,
  );
}

/**
 * The delimiter that splits the most records into as many values as the first, then the one that gives the most values;
 * in a tie not the comma, which may be the decimal sign. A comma where none splits.
 */
export function detectDelimiter(text: string, quote: string): string {
  let best = { delimiter: ",", even: 0, values: 1 };
  for (const delimiter of DELIMITERS) {
    const records = splitRecords(text, delimiter, quote, RECORDS_LOOKED_AT);
    const values = records[0]?.length ?? 1;
    if (values === 1) continue;
    const even = records.filter((record) => record.length === values).length / records.length;
    if (even > best.even || (even === best.even && values > best.values)) best = { delimiter, even, values };
  }
  return best.delimiter;
}

/**
 * The values of the first records, blank lines left out. A record that is cut off by the end of the text is given only
 * where there is no other.
 */
export function splitRecords(text: string, delimiter: string, quote: string, limit: number): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  while (at < text.length && records.length < limit) {
    const { value, end } = readValue(text, at, delimiter, quote);
    record.push(value);
    if (text[end] === delimiter) {
      at = end + 1;
      if (at === text.length) record.push("");
      continue;
    }
    if (end >= text.length) break;
    at = text.startsWith("\r\n", end) ? end + 2 : end + 1;
    if (record.length > 1 || record[0] !== "") records.push(record);
    record = [];
  }
  if (record.length > 0 && records.length === 0) records.push(record);
  return records;
}

/** The line end of the first record; none where the text ends before. */
function endOfRecord(text: string, delimiter: string, quote: string): string[] {
  let { end } = readValue(text, 0, delimiter, quote);
  while (text[end] === delimiter) ({ end } = readValue(text, end + 1, delimiter, quote));
  if (end >= text.length) return [];
  return [text.startsWith("\r\n", end) ? "\r\n" : text[end]!];
}

function readValue(
  text: string,
  from: number,
  delimiter: string,
  quote: string,
): { value: string; end: number } {
  let at = from;
  while (quote !== "" && text[at] === " ") at++;
  if (quote === "" || text[at] !== quote) {
    at = from;
    while (at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r") at++;
    return { value: text.slice(from, at), end: at };
  }
  let value = "";
  for (at++; at < text.length; at++) {
    if (text[at] !== quote) value += text[at];
    else if (text[at + 1] === quote) value += text[++at];
    else break;
  }
  // What follows the closing quote is a mistake that the reading will name.
  for (at++; at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r"; ) at++;
  return { value, end: Math.min(at, text.length) };
}

function decode(head: Buffer, encoding: CsvEncoding): string {
  return encoding === "latin-1" ? head.toString("latin1") : new TextDecoder("utf-8").decode(head);
}

function oneCharacter(what: string, text: string, mayBeEmpty: boolean): string {
  if ((mayBeEmpty && text === "") || /^[\t\x20-\x7e]$/.test(text)) return text;
  throw tableError(`the CSV ${what} ${JSON.stringify(text)} is not one ASCII character`);
}
