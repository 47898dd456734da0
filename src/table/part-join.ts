import { open } from "node:fs/promises";
import { join } from "node:path";
import { writeArrow } from "./arrow-writer.ts";
import type { ManifestPart } from "./manifest.ts";
import { type OutputColumn, outputSelectList } from "./output-columns.ts";
import { type OutputDatabase, useAllCores } from "./output-database.ts";
import { quoteExactPath, quoteText } from "./sql-text.ts";
import type { TableFormat } from "./table-source.ts";

/** How DuckDB's COPY writes a format; `header` is CSV's. */
export function copyOptions(format: Exclude<TableFormat, "arrow">, header = true): string {
  if (format === "ndjson") return "FORMAT json, ARRAY false, COMPRESSION none";
  // Every reader of Parquet knows snappy; zstd makes scores some 6 % smaller for about the same time.
  if (format === "parquet") return "FORMAT parquet, COMPRESSION snappy";
  return `FORMAT csv, HEADER ${header}, DELIMITER ',', QUOTE '"', ESCAPE '"', NULL '', COMPRESSION none`;
}

/** A SELECT of all the output's rows in order, from the parts. */
export function selectParts(
  folder: string,
  parts: readonly ManifestPart[],
  columns: readonly OutputColumn[],
): string {
  const paths = parts.map(({ file }) => quoteExactPath(join(folder, file)));
  const hasErrors = parts.some((part) => part.hasErrors);
  const source = `read_parquet([${paths.join(", ")}], union_by_name = ${hasErrors}, hive_partitioning = false)`;
  return `SELECT ${outputSelectList(columns, hasErrors)} FROM ${source}`;
}

/** Writes the parts' rows in order into one file. */
export async function joinParts(
  database: OutputDatabase,
  folder: string,
  parts: readonly ManifestPart[],
  columns: readonly OutputColumn[],
  format: TableFormat,
  path: string,
): Promise<void> {
  await useAllCores(database);
  const select = selectParts(folder, parts, columns);
  if (format === "arrow") {
    const file = await open(path, "w");
    try {
      await writeArrow(database.copying, select, "file", async (bytes) => {
        await file.writev(bytes);
      });
    } finally {
      await file.close();
    }
    return;
  }
  await database.copying.run(`COPY (${select}) TO ${quoteText(path)} (${copyOptions(format)})`);
}
