import { VARCHAR } from "@duckdb/node-api";
import { messageOf } from "../../errors.ts";
import { counted } from "../../wording/counted.ts";
import type { DuckdbSession } from "../duckdb/duckdb-session.ts";
import { sqlPath, sqlText } from "../duckdb/sql-text.ts";
import type { Packing } from "../file-kind.ts";
import { duckdbReason, tableError } from "../table-error.ts";
import type { SourceInput } from "../table-source.ts";
import type { Utf8Copies } from "../utf16.ts";
import { type CsvDialect, type CsvEncoding, type CsvOptions, csvDialect, notUtf8 } from "./csv-dialect.ts";
import { createCsvScanner } from "./csv-records.ts";
import { checkBytes, openBytes, readHead } from "./file-bytes.ts";
import { fromRowOn, queriedFile, type TableFile, unreadable } from "./table-file.ts";

const HEAD_BYTES = 1 << 20;

/**
 * Opens CSV files, each with the dialect of the first and names of its own. Every column is text: an empty value is
 * null, `""` is an empty text. Blank lines are left out.
 */
export async function openCsvFiles(
  session: DuckdbSession,
  inputs: readonly SourceInput[],
  { encoding, ...options }: CsvInputOptions,
  copies: Utf8Copies,
): Promise<TableFile[]> {
  const files: TableFile[] = [];
  let told: CsvOptions = encoding === "latin-1" ? { ...options, encoding } : options;
  for (const { name } of inputs) {
    let dialect: CsvDialect;
    let packing: Packing = "none";
    let copy: string | undefined;
    try {
      packing = await checkBytes(name, "csv");
      if (encoding !== "latin-1") copy = await copies.copyOf(name, packing, encoding === "utf-16");
      if (copy !== undefined) packing = "none";
      dialect = csvDialect(name, await readHead(copy ?? name, packing, HEAD_BYTES), told);
    } catch (error) {
      throw unreadable(name, error);
    }
    told = dialect;
    files.push(csvFile(session, { name, path: copy ?? name, packing, dialect, linesBefore: 0 }));
  }
  return files;
}

/** The way CSV files are written; `utf-16` only where they have no byte order mark. */
export interface CsvInputOptions extends Omit<CsvOptions, "encoding"> {
  readonly encoding?: CsvEncoding | "utf-16" | undefined;
}

/** Where a CSV file's text came from. */
export interface CsvOrigin {
  /** For messages. */
  readonly name: string;
  readonly path: string;
  readonly packing: Packing;
  readonly dialect: CsvDialect;
  /** Lines of the input before this file's first. */
  readonly linesBefore: number;
}

/** A CSV file whose dialect is known. */
export function csvFile(session: DuckdbSession, origin: CsvOrigin): TableFile {
  const { name, path, packing, dialect } = origin;
  const table = csvTable(path, packing, dialect);
  const file = queriedFile(session, {
    name,
    columns: dialect.names.map((column) => ({ name: column, type: VARCHAR })),
    rowCount: undefined,
    table,
    from: (_, fromRow) => table + fromRowOn(fromRow),
    explain: (error) => explainCsv(error, origin),
  });
  return { ...file, namesAmongValues: dialect.namesAmongValues };
}

/** What stands after FROM to read a CSV file: nothing is guessed, skipped, padded or dropped. */
function csvTable(path: string, packing: Packing, dialect: CsvDialect): string {
  const columns = dialect.names.map((_, index) => `'c${index}':'VARCHAR'`).join();
  const { delimiter, quote } = dialect;
  return (
    `read_csv(${sqlPath(path)}, auto_detect=false, columns={${columns}}, delim=${sqlText(delimiter)}, ` +
    `quote=${sqlText(quote)}, escape=${sqlText(quote)}, header=${dialect.header}, skip=${dialect.skippedLines}, ` +
    `encoding='${dialect.encoding}', comment='', strict_mode=true, null_padding=false, ignore_errors=false, ` +
    `compression='${packing}', allow_quoted_nulls=false, hive_partitioning=false)`
  );
}

/** The error for what DuckDB says of a CSV file, with the line where it happened. */
async function explainCsv(error: unknown, origin: CsvOrigin): Promise<Error> {
  const text = messageOf(error);
  const record = /CSV Error on Line: (\d+)/.exec(text)?.[1];
  const line =
    record === undefined ? undefined : (await lineOfRecord(origin, Number(record))) + origin.linesBefore;
  if (/not utf-8 encoded|Invalid unicode/i.test(text)) return notUtf8(origin.name, line, error);
  const at = line === undefined ? origin.name : `${origin.name}, line ${line}`;
  const counts = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text);
  if (counts !== null) {
    return tableError(
      `${at} has ${counted(Number(counts[2]), "value")}, and the first line ${counted(Number(counts[1]), "value")}` +
        `; the delimiter is ${JSON.stringify(origin.dialect.delimiter)} (--csv-delimiter says another)`,
      error,
    );
  }
  if (/unterminated quote/i.test(text)) {
    return tableError(`${at}: a quoted value does not end, or has text after its end (--csv-quote)`, error);
  }
  if (/invalid state/i.test(text)) {
    return tableError(
      `${at} is not CSV as told: its lines end in different ways (CRLF and LF), or text follows a quoted value`,
      error,
    );
  }
  if (/Maximum line size/i.test(text)) {
    return tableError(`${at}: the record is longer than 2 MB; is a quote not closed (--csv-quote)?`, error);
  }
  return tableError(
    `${at} cannot be read: ${duckdbReason(error)
      .replace(/^CSV Error on Line: \d+ /, "")
      .replace(/Original Line:.*$/s, "")}`,
    error,
  );
}

/** DuckDB numbers records; people look for lines. */
async function lineOfRecord(origin: CsvOrigin, record: number): Promise<number> {
  const { delimiter, quote } = origin.dialect;
  const scanner = createCsvScanner(delimiter, quote);
  for await (const bytes of openBytes(origin.path, origin.packing) as AsyncIterable<Buffer>) {
    scanner.scan(bytes, record - 1);
    if (scanner.seen.records >= record - 1) break;
  }
  return scanner.seen.lines + 1;
}
