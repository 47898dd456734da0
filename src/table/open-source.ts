import type { CsvOptions } from "./csv-dialect.ts";
import { openCsvFiles } from "./csv-file.ts";
import { type DuckdbSession, openDuckdbSession } from "./duckdb-session.ts";
import { createFileSource } from "./file-source.ts";
import { openParquetFile } from "./parquet-file.ts";
import { findSourceFiles } from "./source-files.ts";
import { tableError } from "./table-error.ts";
import type { TableFile } from "./table-file.ts";
import type { SourceInput, TableFormat, TableSource } from "./table-source.ts";

/** What to read, and how. */
export interface SourceOptions {
  /** Paths and globs; or one alone of `sql:` and a query, and `-` for standard input. */
  readonly inputs: readonly string[];
  /** Default: what the files' endings say. */
  readonly format?: TableFormat | undefined;
  readonly csv?: CsvOptions | undefined;
  /** Where what does not fit in memory may go; it must exist. Default: see each kind of input. */
  readonly temporaryFolder?: string | undefined;
}

const FORMATS: readonly { readonly format: TableFormat; readonly ending: RegExp }[] = [
  { format: "parquet", ending: /\.(parquet|pq)$/i },
  { format: "csv", ending: /\.(csv|tsv|txt|data)(\.gz)?$/i },
  { format: "ndjson", ending: /\.(ndjson|jsonl|json)(\.gz)?$/i },
  { format: "arrow", ending: /\.(arrow|feather|ipc|arrows)$/i },
];

/**
 * Opens an input and reads what tells its columns; whoever opened it closes it. Throws a TABLE_INVALID that names the
 * file, and what to do.
 */
export async function openSource(options: SourceOptions): Promise<TableSource> {
  if (options.inputs.length === 0) throw tableError("no input is named");
  const session = await openDuckdbSession({ temporaryFolder: options.temporaryFolder });
  try {
    const inputs = await findSourceFiles(session, options.inputs);
    const format = options.format ?? formatOf(inputs);
    const files = await openFiles(session, format, inputs, options);
    return createFileSource({ format, inputs, files, close: () => session.close() });
  } catch (error) {
    session.close();
    throw error;
  }
}

async function openFiles(
  session: DuckdbSession,
  format: TableFormat,
  inputs: readonly SourceInput[],
  options: SourceOptions,
): Promise<TableFile[]> {
  if (format === "csv") return openCsvFiles(session, inputs, options.csv ?? {});
  const files: TableFile[] = [];
  for (const { name } of inputs) files.push(await openParquetFile(session, name));
  return files;
}

function formatOf(inputs: readonly SourceInput[]): TableFormat {
  let first: { format: TableFormat; name: string } | undefined;
  for (const { name } of inputs) {
    const format = FORMATS.find(({ ending }) => ending.test(name))?.format;
    if (format === undefined) {
      throw tableError(
        `the ending of ${name} does not tell its format; say --input-format parquet, csv, ndjson or arrow`,
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
