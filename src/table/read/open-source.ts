import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { openArrowFile, openArrowInput } from "../arrow/arrow-file.ts";
import { type DuckdbSession, openDuckdbSession } from "../duckdb/duckdb-session.ts";
import { foreignKind } from "../file-kind.ts";
import { readFormat } from "../format-endings.ts";
import { withPartitions } from "../partitions.ts";
import { tableError } from "../table-error.ts";
import type { TableFormat, TableSource } from "../table-source.ts";
import { createUtf8Copies, type Utf8Copies } from "../utf16.ts";
import { type CsvInputOptions, openCsvFiles } from "./csv-file.ts";
import { checkBytes, rawHead } from "./file-bytes.ts";
import { createFileSource } from "./file-source.ts";
import { openNdjsonFiles } from "./ndjson-file.ts";
import { openParquetFile } from "./parquet-file.ts";
import { type FoundFile, findSourceFiles } from "./source-files.ts";
import { openSqlSource, SQL_PREFIX } from "./sql-source.ts";
import { openStandardInput } from "./standard-input.ts";
import type { TableFile } from "./table-file.ts";

/** Options of a source: what to read, and how. */
export interface SourceOptions {
  /** Paths and globs; or one alone of `sql:` and a query, and `-` for standard input. */
  readonly inputs: readonly string[];
  /** Default: what the files' endings say. */
  readonly format?: TableFormat | undefined;
  readonly csv?: CsvInputOptions | undefined;
  /** A line of NDJSON that is no object is a row with a fault; default: it ends the reading. */
  readonly keepsBadLines?: boolean | undefined;
  /**
   * Where the sorts of a query that do not fit in memory go (default: they fail), and blocks of standard input
   * (default: the system's). It must exist.
   */
  readonly temporaryFolder?: string | undefined;
  /** What `-` is. Default: the process's. */
  readonly standardInput?: Readable | undefined;
  /** Ends the wait for what a pipe or standard input begins with; `openSource` rejects then. */
  readonly signal?: AbortSignal | undefined;
}

const STANDARD_INPUT = "-";

/**
 * Opens an input and reads what tells its columns; whoever opened it closes it. Throws a TABLE_INVALID that names the
 * file, and what to do.
 */
export async function openSource(options: SourceOptions): Promise<TableSource> {
  const { inputs } = options;
  if (inputs.length === 0) throw tableError("no input is named");
  const alone = inputs.find((input) => input === STANDARD_INPUT || input.startsWith(SQL_PREFIX));
  if (alone !== undefined && inputs.length > 1) {
    throw tableError(`${alone} stands beside other inputs, and can only be read alone`);
  }
  const session = await openDuckdbSession({ temporaryFolder: options.temporaryFolder });
  const copies = createUtf8Copies(options.temporaryFolder);
  const close = () => {
    session.close();
    copies.close();
  };
  try {
    if (alone === STANDARD_INPUT) {
      return await openStream(session, "standard input", options.standardInput ?? process.stdin, options);
    }
    if (alone !== undefined) return await openSqlSource(session, alone);
    const found = await findSourceFiles(session, inputs, options.format);
    const pipe = found.find(({ isStream }) => isStream);
    if (pipe !== undefined) {
      if (found.length > 1) throw tableError(`${pipe.name} is a pipe, and can only be read alone`);
      return await openStream(session, pipe.name, createReadStream(pipe.name), options);
    }
    const format = options.format ?? (await formatOf(found));
    const files = withPartitions(await openFiles(session, format, found, copies, options));
    return createFileSource({ format, inputs: found, files, close });
  } catch (error) {
    close();
    throw error;
  }
}

async function openFiles(
  session: DuckdbSession,
  format: TableFormat,
  inputs: readonly FoundFile[],
  copies: Utf8Copies,
  options: SourceOptions,
): Promise<TableFile[]> {
  if (format === "csv") return openCsvFiles(session, inputs, options.csv ?? {}, copies);
  if (format === "ndjson") return openNdjsonFiles(session, inputs, copies, options.keepsBadLines ?? false);
  const files: TableFile[] = [];
  for (const { name, isRemote = false } of inputs) {
    if (isRemote) {
      files.push(await openParquetFile(session, name, isRemote));
      continue;
    }
    await checkBytes(name, format);
    files.push(await (format === "arrow" ? openArrowFile(name) : openParquetFile(session, name)));
  }
  return files;
}

async function openStream(
  session: DuckdbSession,
  name: string,
  input: Readable,
  options: SourceOptions,
): Promise<TableSource> {
  const { format, csv = {}, temporaryFolder, signal } = options;
  if (format === undefined) {
    throw tableError(
      `the format of ${name} is not told by an ending; say --input-format csv, ndjson or arrow`,
    );
  }
  if (format === "parquet") {
    throw tableError(
      `Parquet cannot be read from ${name}, since its index stands at its end; store it in a file`,
    );
  }
  // Without an error of its own: nobody listens for one until the first read.
  if (signal?.aborted) input.destroy();
  else signal?.addEventListener("abort", () => input.destroy(), { once: true });
  if (format === "arrow") {
    session.close();
    return openArrowInput(name, input);
  }
  return openStandardInput({
    session,
    name,
    input,
    format,
    csv,
    temporaryFolder,
    keepsBadLines: options.keepsBadLines ?? false,
  });
}

async function formatOf(inputs: readonly FoundFile[]): Promise<TableFormat> {
  let first: { format: TableFormat; name: string } | undefined;
  for (const { name, isRemote } of inputs) {
    // An address of another format has been refused.
    const format = isRemote === true ? "parquet" : readFormat(name);
    if (format === undefined) {
      const foreign = foreignKind(await rawHead(name), undefined);
      if (foreign !== undefined) throw tableError(`${name} is ${foreign}`);
      const beside = inputs.length > 1 ? ", or name only the table's files (as in '*.csv')" : "";
      throw tableError(
        `the ending of ${name} does not tell its format; say --input-format parquet, csv, ndjson or arrow${beside}`,
      );
    }
    first ??= { format, name };
    if (first.format !== format) {
      throw tableError(
        `${first.name} is ${first.format} and ${name} is ${format}: files of one format are read together`,
      );
    }
  }
  return first!.format;
}
