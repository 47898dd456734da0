/**
 * Tables: what `assay score` reads and writes; nothing here knows of models.
 * Comes in: a path, a glob, several of them, `sql:` and a query, or `-`; goes out: chunks of at most 2,048 rows (8,192 where all
 * that is read are floats apart from the vectors) in the order of the input, read by DuckDB (Parquet, CSV, NDJSON, queries) or apache-arrow (Arrow IPC).
 * Promises: the same input gives the same rows in the same order; memory does not grow with the input (Arrow IPC: with
 * its largest record batch); a column is found by its exact name; what cannot be read is a TABLE_INVALID that names the
 * file and, where there are any, column and line. Page checksums of Parquet are not verified: DuckDB does not.
 */
import type { DuckDBDataChunk, DuckDBType } from "@duckdb/node-api";
import type { InferredType } from "./inferred-types.ts";

/**
 * A column as the input has it, nested ones too. CSV columns are VARCHAR, NDJSON columns VARCHAR with the alias `JSON`,
 * which hold JSON text (`1.5`, `"x"`, `true`; null for `null` and a missing key). A name may stand twice; it can then not
 * be read.
 */
export interface TableColumn {
  readonly name: string;
  readonly type: DuckDBType;
  /** Its values stand in the names of folders, `year=2024`, one for all rows of a file. */
  readonly isPartition?: boolean;
}

/** A column to read. */
export interface ColumnRequest {
  readonly name: string;
  /** Read as DOUBLE: for decimals and integers wider than 64 bits. */
  readonly asDouble?: boolean;
  /** Read as the type that `inferTypes` found; for CSV and NDJSON. */
  readonly as?: InferredType;
  /**
   * Read instead of `name`, which is empty then: one VARCHAR with the cells of these VARCHAR or JSON columns that have 13 to 64
   * bytes, all others as the empty text, joined by U+001F; never NULL. DuckDB's cells hold shorter texts themselves; longer
   * ones cost a call each, some 1,200 ns, and this way one call a row.
   */
  readonly joinedTexts?: readonly string[];
  /**
   * Read instead of `name`, which is empty then: one FLOAT[] with each row's values of these FLOAT columns, never NULL itself.
   * DuckDB lays them row by row, as a tensor wants them, in the thread that reads; and one vector is fetched instead of many. Where
   * a thread of Assay's own reads them, they stand in `TableChunk.floats`, and the vector has nothing.
   */
  readonly packedFloats?: readonly string[];
}

/** Floats of a chunk that were read apart from its vectors. */
export interface FloatChunk {
  /** The rows of each request for `packedFloats`, by the request's position; NaN stands for NULL. */
  readonly byVector: ReadonlyMap<number, Float32Array<ArrayBuffer>>;
  /** None of them is NaN or infinite; false: some may be. */
  readonly areFinite: boolean;
  /** Gives their memory back for other rows. Only once nobody reads them any more; need not be called, and may be called again. */
  release(): void;
}

/** The most rows of a chunk without vectors; chunks with vectors have at most 2,048. */
export const MOST_CHUNK_ROWS = 8192;

/** Rows as they lie in the input; the vectors are in the order of the requests, and another may follow them. */
export interface TableChunk {
  readonly chunk: DuckDBDataChunk;
  /** The first row's number in the whole input, from 0. */
  readonly fromRow: number;
  /** For messages: the file, or the query; and the first row's number in it, from 1, a header not counted. */
  readonly file: string;
  readonly fileRow: number;
  /** Rows of the chunk that could not be read, which are all null, and why. */
  readonly faults?: ReadonlyMap<number, string>;
  readonly floats?: FloatChunk;
}

/** One file of the input, as a manifest keeps it; `sizeBytes` and `modifiedAtMs` are 0 for a query and a pipe. */
export interface SourceInput {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/** An opened input; whoever opened it closes it. */
export interface TableSource {
  readonly format: TableFormat | "sql";
  /** What is read, in order. */
  readonly inputs: readonly SourceInput[];
  /** The columns of the first file; others may differ in those that are not read. */
  readonly columns: readonly TableColumn[];
  /** Undefined where only reading tells. */
  readonly rowCount: number | undefined;
  /** Why a run over it cannot be resumed; undefined where it can. */
  readonly notResumable: string | undefined;
  /** Columns that the first of several files lacks, and a file that has them. */
  readonly columnsElsewhere?: ReadonlyMap<string, string>;
  /** Names of CSV that are also values of their columns in the first file: its header may be a row. */
  readonly namesAmongValues?: readonly string[];
  /** Throws a TABLE_INVALID where the files differ in these columns; `read` does as well, only later. */
  check?(columns: readonly ColumnRequest[]): void;
  /** Reads all of the input for the types that columns of text turn out to have; those that stay text are left out. Of CSV and NDJSON files alone. */
  inferTypes?(names: readonly string[]): Promise<ReadonlyMap<string, InferredType>>;
  /** Reads the columns from row `fromRow` on. One reading at a time. */
  read(columns: readonly ColumnRequest[], fromRow: number): AsyncIterable<TableChunk>;
  close(): void;
}

/** The file formats, by what stands in `--input-format` and `--output-format`. */
export type TableFormat = "parquet" | "csv" | "ndjson" | "arrow";
