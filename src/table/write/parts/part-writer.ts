import { sqlText } from "../../duckdb/sql-text.ts";
import type { OutputPacking } from "../../format-endings.ts";
import type { ResultColumns, ResultRows } from "../../result-rows.ts";
import type { WrittenRows } from "../../table-sink.ts";
import type { TableChunk } from "../../table-source.ts";
import type { Manifest, ManifestPart } from "../manifest.ts";
import { type OutputColumn, selectForOutput, selectForPart } from "../output-columns.ts";
import type { OutputDatabase } from "../output-database.ts";
import { createResultTable, type ResultTable } from "../result-table.ts";
import {
  identityOf,
  inFolder,
  type PartFolder,
  partFile,
  renameForGood,
  writeManifest,
} from "./part-folder.ts";
import { copyOptions } from "./part-join.ts";

/** When a part is complete. */
export interface PartLimits {
  readonly partRows: number;
  readonly partBytes: number;
  readonly partIntervalMs: number;
}

/** Fills one part while the one before is being written; each is noted in the manifest once it is there for good. */
export interface PartWriter {
  readonly manifest: Manifest;
  append(chunk: TableChunk, results: ResultRows): Promise<void>;
  /** Writes what is left; the manifest then has all parts, at least one. */
  flush(): Promise<void>;
  /** Lets go of the part that is being filled. */
  stop(): Promise<void>;
}

/** Creates a writer that goes on after the parts of `manifest`. */
export function createPartWriter(
  database: OutputDatabase,
  folder: PartFolder,
  columns: ResultColumns,
  outputColumns: readonly OutputColumn[],
  outputPacking: OutputPacking,
  limits: PartLimits,
  begun: Manifest,
): PartWriter {
  // Parts of a Parquet output are pieces of it as they stand.
  const arePieces = begun.output.format === "parquet";
  const select = arePieces ? selectForOutput : selectForPart;
  const packing = arePieces ? outputPacking : "snappy";
  let manifest = begun;
  let filling: ResultTable | undefined;
  let fillingSinceMs = 0;
  let writing: Promise<void> = Promise.resolve();
  let tables = 0;

  async function table(): Promise<ResultTable> {
    if (filling === undefined) {
      fillingSinceMs = performance.now();
      filling = await createResultTable(database, `part_${tables++}`, columns, outputColumns);
    }
    return filling;
  }

  async function write(filled: ResultTable, index: number): Promise<void> {
    const file = partFile(index);
    const path = inFolder(folder, file);
    await database.copying.run(
      `COPY (${select(outputColumns, filled.name, filled.hasErrors)}) TO ${sqlText(`${path}.tmp`)} (${copyOptions("parquet", { rows: filled.rows, dataBytes: filled.bytes }, packing)})`,
    );
    await database.copying.run(`DROP TABLE ${filled.name}`);
    await renameForGood(`${path}.tmp`, path);
    const { sizeBytes } = (await identityOf(path))!;
    const { inputRows, rows, errorRows, hasErrors, bytes: dataBytes } = filled;
    const part: ManifestPart = {
      file,
      fromRow: writtenRows(manifest).inputRows,
      inputRows,
      rows,
      errorRows,
      hasErrors,
      sizeBytes,
      dataBytes,
    };
    const noted: Manifest = { ...manifest, parts: [...manifest.parts, part] };
    await writeManifest(folder.path, noted);
    manifest = noted;
  }

  /** Hands the part over; waits for the one before, so that there are never more than two. */
  async function handOver(): Promise<void> {
    const filled = await table();
    filling = undefined;
    filled.close();
    await writing;
    writing = write(filled, manifest.parts.length);
    // Whoever waits for it next gets the failure; until then it is nobody's.
    writing.catch(() => {});
  }

  return {
    get manifest() {
      return manifest;
    },
    async append(chunk, results) {
      const into = await table();
      await into.append(chunk, results);
      const isFull = into.inputRows >= limits.partRows || into.bytes >= limits.partBytes;
      if (isFull || performance.now() - fillingSinceMs >= limits.partIntervalMs) await handOver();
      // Rows so long that one chunk is more than a part: two of them would not fit.
      if (into.bytes >= 2 * limits.partBytes) await writing;
    },
    async flush() {
      await writing;
      if (filling !== undefined || manifest.parts.length === 0) await handOver();
      await writing;
    },
    async stop() {
      await writing.catch(() => {});
      filling?.close();
      filling = undefined;
    },
  };
}

/** The sums over a manifest's parts. */
export function writtenRows({ parts }: Manifest): WrittenRows {
  let inputRows = 0;
  let rows = 0;
  let errorRows = 0;
  for (const part of parts) {
    inputRows += part.inputRows;
    rows += part.rows;
    errorRows += part.errorRows;
  }
  return { inputRows, rows, errorRows };
}
