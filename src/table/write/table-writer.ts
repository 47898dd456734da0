import { createReadStream } from "node:fs";
import { type ArrowWriter, createArrowWriter } from "../arrow/arrow-writer.ts";
import { sqlText } from "../duckdb/sql-text.ts";
import type { TableFormat } from "../table-source.ts";
import { type OutputColumn, selectForOutput } from "./output-columns.ts";
import type { OutputDatabase } from "./output-database.ts";
import { copyOptions } from "./parts/part-join.ts";
import type { ResultTable } from "./result-table.ts";

/** Writes filled tables one after the other into one stream, and drops them. */
export interface TableWriter {
  write(filled: ResultTable): Promise<void>;
  finish(): Promise<void>;
}

/** Creates a writer; text formats pass through the file at `path`, which DuckDB writes and which is small. */
export function createTableWriter(
  database: OutputDatabase,
  columns: readonly OutputColumn[],
  format: Exclude<TableFormat, "parquet">,
  path: string,
  write: (bytes: readonly Uint8Array[]) => Promise<void>,
): TableWriter {
  return format === "arrow"
    ? arrowTableWriter(database, columns, write)
    : textTableWriter(database, columns, format, path, write);
}

function textTableWriter(
  { copying }: OutputDatabase,
  columns: readonly OutputColumn[],
  format: "csv" | "ndjson",
  path: string,
  write: (bytes: readonly Uint8Array[]) => Promise<void>,
): TableWriter {
  let isFirst = true;
  return {
    async write(filled) {
      const options = copyOptions(format, { rows: filled.rows, dataBytes: filled.bytes }, "none", isFirst);
      isFirst = false;
      await copying.run(
        `COPY (${selectForOutput(columns, filled.name, filled.hasErrors)}) TO ${sqlText(path)} (${options})`,
      );
      await copying.run(`DROP TABLE ${filled.name}`);
      for await (const bytes of createReadStream(path, { highWaterMark: 1 << 20 })) await write([bytes]);
    },
    async finish() {},
  };
}

function arrowTableWriter(
  { copying }: OutputDatabase,
  columns: readonly OutputColumn[],
  write: (bytes: readonly Uint8Array[]) => Promise<void>,
): TableWriter {
  let writer: ArrowWriter | undefined;
  return {
    async write(filled) {
      const result = await copying.stream(selectForOutput(columns, filled.name, filled.hasErrors));
      writer ??= createArrowWriter(result.columnNames(), result.columnTypes(), "stream");
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) break;
        await write(writer.append(chunk));
      }
      await write(writer.flush());
      await copying.run(`DROP TABLE ${filled.name}`);
    },
    async finish() {
      if (writer !== undefined) await write(writer.finish());
    },
  };
}
