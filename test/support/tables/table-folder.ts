import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { openDuckdbSession } from "../../../src/table/duckdb/duckdb-session.ts";
import { openSource, type SourceOptions } from "../../../src/table/read/open-source.ts";
import type { TableSource } from "../../../src/table/table-source.ts";

/** A folder for one test file's tables, removed when its tests have ended. */
export interface TableFolder {
  readonly path: string;
  /** Writes a file and gives its path. */
  write(name: string, content: string | Uint8Array): string;
  /** Writes a query's rows to a Parquet file, by DuckDB, and gives its path. */
  writeParquet(name: string, query: string, options?: string): Promise<string>;
}

export function tableFolder(): TableFolder {
  const path = mkdtempSync(join(tmpdir(), "assay-tables-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
    async writeParquet(name, query, options = "") {
      const file = join(path, name);
      const session = await openDuckdbSession();
      await session.rows(`COPY (${query}) TO '${file}' (FORMAT parquet ${options})`);
      session.close();
      return file;
    },
  };
}

/** What a table holds; values as DuckDB's package gives them, integers beyond 32 bits and objects as text. */
export interface ReadTable {
  readonly names: readonly string[];
  readonly types: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** Opens, reads some columns (default: all) from a row on, and closes. Checks that rows are numbered without a gap. */
export async function readTable(
  options: SourceOptions,
  from: { readonly columns?: readonly string[]; readonly asDouble?: boolean; readonly fromRow?: number } = {},
): Promise<ReadTable> {
  const source = await openSource(options);
  try {
    const names = from.columns ?? source.columns.map(({ name }) => name);
    const rows = await readRows(source, names, from.fromRow ?? 0, from.asDouble ?? false);
    return {
      names: source.columns.map(({ name }) => name),
      types: source.columns.map(({ type }) => type.alias ?? type.toString()),
      rows,
    };
  } finally {
    source.close();
  }
}

/** Reads rows of an opened source. */
export async function readRows(
  source: TableSource,
  names: readonly string[],
  fromRow = 0,
  asDouble = false,
): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  const requests = names.map((name) => ({ name, asDouble }));
  for await (const read of source.read(requests, fromRow)) {
    if (read.fromRow !== fromRow + rows.length) throw new Error(`row ${read.fromRow} after ${rows.length}`);
    if (read.chunk.rowCount === 0 || read.chunk.rowCount > 2048) throw new Error("a chunk of a wrong size");
    for (let row = 0; row < read.chunk.rowCount; row++) {
      rows.push(names.map((_, index) => plain(read.chunk.getColumnVector(index).getItem(row))));
    }
  }
  return rows;
}

function plain(value: unknown): unknown {
  return typeof value === "bigint" || (typeof value === "object" && value !== null) ? String(value) : value;
}
