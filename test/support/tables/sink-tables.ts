import { DuckDBInstance, type DuckDBType } from "@duckdb/node-api";
import type { ResultColumns, ResultRows } from "../../../src/table/result-rows.ts";
import type { TableSink } from "../../../src/table/table-sink.ts";
import type { TableChunk } from "../../../src/table/table-source.ts";
import type { FileSinkOptions } from "../../../src/table/write/file-sink.ts";
import { queryChunks } from "./table-chunks.ts";

/** The rows of a query as a source would give them. */
export interface QueryTable {
  readonly names: readonly string[];
  readonly types: readonly DuckDBType[];
  readonly chunks: readonly TableChunk[];
}

/** Runs a query. */
export async function queryTable(sql: string): Promise<QueryTable> {
  const { columns, chunks } = await queryChunks(sql, "query");
  return { names: columns.map(({ name }) => name), types: columns.map(({ type }) => type), chunks };
}

/** The rows of a query, as DuckDB shows them in JSON. */
export async function queryRows(sql: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

/** Keeps all columns of a table, adds a score. */
export function resultColumns(names: readonly string[], changes: Partial<ResultColumns> = {}): ResultColumns {
  return {
    keep: names.map((name, vectorIndex) => ({ name, vectorIndex })),
    hasScore: true,
    hasLabel: false,
    probabilities: [],
    modelVersion: "3",
    skipErrors: false,
    ...changes,
  };
}

/** Options of a file sink for a model that nothing changes of. */
export function sinkOptions(
  outputPath: string,
  table: Pick<QueryTable, "names" | "types">,
  changes: Partial<FileSinkOptions> = {},
): FileSinkOptions {
  return {
    outputPath,
    format: "parquet",
    columns: resultColumns(table.names),
    keepTypes: table.types,
    fingerprint: {
      inputs: [{ name: "data/a.parquet", sizeBytes: 1024, modifiedAtMs: 1_700_000_000_000 }],
      model: { name: "census", version: "3", sha256: "5c0ffee5c0ffee5c0ffee" },
      settings: { "--keep": "id" },
    },
    overwrite: false,
    restart: false,
    ...changes,
  };
}

/** Results that follow from the row's number in the input: score row / 7, label by parity, every `errorEvery`th row failed. */
export function rowResults(
  { chunk, fromRow }: TableChunk,
  errorEvery = Number.POSITIVE_INFINITY,
): ResultRows {
  const rowCount = chunk.rowCount;
  const numbers = Array.from({ length: rowCount }, (_, index) => fromRow + index);
  const failed = (row: number) => row % errorEvery === errorEvery - 1;
  return {
    rowCount,
    scores: Float64Array.from(numbers, (row) => row / 7),
    labels: numbers.map((row) =>
      failed(row) ? undefined : row % 2 === 0 ? "even" : "an odd number of a row",
    ),
    probabilities: Float64Array.from(
      numbers.flatMap((row) => [1 / (row + 2), 1 - 1 / (row + 2)]),
      (value) => value,
    ),
    errors: new Map(
      numbers.flatMap((row, index) => (failed(row) ? [[index, `row ${row + 1} is bad`] as const] : [])),
    ),
  };
}

/** Appends what the sink does not have yet. Chunks are cut where an earlier run stopped, as a source would. */
export async function appendRest(sink: TableSink, table: QueryTable, errorEvery?: number): Promise<void> {
  const from = sink.written.inputRows;
  for (const chunk of table.chunks) {
    if (chunk.fromRow >= from) await sink.append(chunk, rowResults(chunk, errorEvery));
    else if (chunk.fromRow + chunk.chunk.rowCount > from)
      throw new Error(`a part ends inside a chunk at ${from}`);
  }
}
