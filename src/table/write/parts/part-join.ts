import { open } from "node:fs/promises";
import { join } from "node:path";
import { writeArrow } from "../../arrow/arrow-writer.ts";
import { sqlPath, sqlText } from "../../duckdb/sql-text.ts";
import type { OutputPacking } from "../../format-endings.ts";
import type { TableFormat } from "../../table-source.ts";
import type { ManifestPart } from "../manifest.ts";
import { type OutputColumn, outputSelectList, reselectList } from "../output-columns.ts";
import { type OutputDatabase, useAllCores } from "../output-database.ts";
import { joinParquetPieces } from "./parquet-pieces.ts";

/** The extent of the rows that are to be written, as far as known. */
export interface RowExtent {
  readonly rows: number;
  readonly dataBytes: number;
}

/** Where the rows are so long that each core's share of them would fill the memory. */
const LONG_CHUNK_BYTES = 8 << 20;
const ROW_GROUP_ROWS = 122_880;
const ROW_GROUP_BYTES = 16 << 20;

/** Options by which DuckDB's COPY writes a format; `header` is CSV's, the extent bounds Parquet's row groups, which lie in memory. */
export function copyOptions(
  format: Exclude<TableFormat, "arrow">,
  extent: RowExtent,
  packing: OutputPacking,
  header = true,
): string {
  if (format === "ndjson") return `FORMAT json, ARRAY false, COMPRESSION ${packing}`;
  if (format === "parquet") {
    return `FORMAT parquet, COMPRESSION ${packing === "none" ? "uncompressed" : packing}, ROW_GROUP_SIZE ${groupRows(extent)}`;
  }
  return `FORMAT csv, HEADER ${header}, DELIMITER ',', QUOTE '"', ESCAPE '"', NULL '', COMPRESSION ${packing}`;
}

function groupRows({ rows, dataBytes }: RowExtent): number {
  const rowBytes = Math.max(1, dataBytes / Math.max(1, rows));
  return Math.max(2048, Math.min(ROW_GROUP_ROWS, Math.floor(ROW_GROUP_BYTES / rowBytes)));
}

/** Parts that have a whole row group each, but for the last, can stand in the output as they are; smaller ones would make it slow to read. */
function areWhole(parts: readonly ManifestPart[]): boolean {
  return parts.slice(0, -1).every((part) => part.rows >= groupRows(part));
}

/** A SELECT of all the output's rows in order, from the parts. */
function selectParts(
  folder: string,
  parts: readonly ManifestPart[],
  columns: readonly OutputColumn[],
  format: TableFormat,
): string {
  const paths = parts.map(({ file }) => sqlPath(join(folder, file)));
  const hasErrors = parts.some((part) => part.hasErrors);
  const source = `read_parquet([${paths.join(", ")}], union_by_name = ${hasErrors && format !== "parquet"}, hive_partitioning = false)`;
  const list = format === "parquet" ? reselectList(columns) : outputSelectList(columns, hasErrors);
  return `SELECT ${list} FROM ${source}`;
}

/** Writes the parts' rows in order into one file. */
export async function joinParts(
  database: OutputDatabase,
  folder: string,
  parts: readonly ManifestPart[],
  columns: readonly OutputColumn[],
  format: TableFormat,
  packing: OutputPacking,
  path: string,
): Promise<void> {
  const files = parts.map(({ file }) => join(folder, file));
  if (format === "parquet" && areWhole(parts) && (await joinParquetPieces(files, path))) return;
  const extent = extentOf(parts);
  const chunkBytes = (extent.dataBytes / Math.max(1, extent.rows)) * 2048;
  if (chunkBytes > LONG_CHUNK_BYTES) await database.makeRoomFor(chunkBytes);
  else await useAllCores(database);
  const select = selectParts(folder, parts, columns, format);
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
  await database.copying.run(
    `COPY (${select}) TO ${sqlText(path)} (${copyOptions(format, extent, packing)})`,
  );
}

function extentOf(parts: readonly ManifestPart[]): RowExtent {
  let rows = 0;
  let dataBytes = 0;
  for (const part of parts) {
    rows += part.rows;
    dataBytes += part.dataBytes;
  }
  return { rows, dataBytes };
}
