import {
  type DuckDBAppender,
  DuckDBDataChunk,
  DuckDBEnumType,
  type DuckDBType,
  type DuckDBVector,
  VARCHAR,
} from "@duckdb/node-api";
import { clearedBits, copyKept, keptRuns, type RowRun, textBytes } from "../duckdb/row-copy.ts";
import { sqlName } from "../duckdb/sql-text.ts";
import { flushRowBytes, rowBytes, setValidityBits } from "../duckdb/vector-memory.ts";
import type { ResultColumns, ResultRows } from "../result-rows.ts";
import type { TableChunk } from "../table-source.ts";
import { createLabelCodes } from "./label-codes.ts";
import { createLabelPool, headerWords, type LabelPool } from "./label-pool.ts";
import { ERROR_PART_NAME, type OutputColumn, sqlType } from "./output-columns.ts";
import type { OutputDatabase } from "./output-database.ts";

/** The most rows of a chunk of DuckDB's. */
const APPENDED_ROWS = 2048;

/** An in-memory table being filled with results, for one part of the output. */
export interface ResultTable {
  readonly name: string;
  readonly inputRows: number;
  readonly rows: number;
  readonly errorRows: number;
  /** Whether any row has a message: the table has the column for them only then. */
  readonly hasErrors: boolean;
  /** About how many bytes its rows take. */
  readonly bytes: number;
  append(chunk: TableChunk, results: ResultRows): Promise<void>;
  /** No more rows come; they are there for other connections. */
  close(): void;
}

/** Creates the table; it stands until its name is dropped. */
export async function createResultTable(
  database: OutputDatabase,
  name: string,
  columns: ResultColumns,
  outputColumns: readonly OutputColumn[],
): Promise<ResultTable> {
  const connection = database.appending;
  const stored = outputColumns.filter(({ partName }) => partName !== undefined);
  const types: DuckDBType[] = stored.map(({ type }) => type);
  const declared = stored.map(({ partName, type }) => `${sqlName(partName!)} ${sqlType(type)}`);
  if (types.length === 0) throw new RangeError("a result has at least one column");
  await connection.run(`CREATE TABLE ${name} (${declared.join(", ")})`);
  const labels = createLabelPool();
  const labelAt = stored.findIndex(({ type }) => type instanceof DuckDBEnumType);
  const labelType = types[labelAt];
  let codes = labelType instanceof DuckDBEnumType ? createLabelCodes(labelType) : undefined;
  let appender: DuckDBAppender = await connection.createAppender(name);
  let target = DuckDBDataChunk.create(types);
  let inputRows = 0;
  let rows = 0;
  let errorRows = 0;
  let hasErrors = false;
  let bytes = 0;

  async function alter(change: string): Promise<void> {
    appender.closeSync();
    await connection.run(`ALTER TABLE ${name} ${change}`);
    appender = await connection.createAppender(name);
    target = DuckDBDataChunk.create(hasErrors ? [...types, VARCHAR] : types);
  }

  async function addErrorColumn(): Promise<void> {
    hasErrors = true;
    await alter(`ADD COLUMN ${ERROR_PART_NAME} VARCHAR`);
  }

  /** For a label that nobody knew of. */
  async function takeAnyLabel(): Promise<void> {
    codes = undefined;
    types[labelAt] = VARCHAR;
    await alter(`ALTER COLUMN ${sqlName(stored[labelAt]!.partName!)} TYPE VARCHAR`);
  }

  async function appendRows(chunk: TableChunk, results: ResultRows): Promise<void> {
    const failed = results.errors.size > 0;
    if (failed && !columns.skipErrors && !hasErrors) await addErrorColumn();
    const runs = failed && columns.skipErrors ? keptRuns(results.rowCount, results.errors) : undefined;
    const count = runs === undefined ? results.rowCount : runs.reduce((sum, run) => sum + run.count, 0);
    inputRows += results.rowCount;
    errorRows += results.errors.size;
    if (count === 0) return;
    const chunkBytes = keptBytes(chunk, columns);
    bytes += chunkBytes;
    await database.makeRoomFor(chunkBytes);
    await appendChunk(chunk, results, runs, count);
  }

  async function appendChunk(
    chunk: TableChunk,
    results: ResultRows,
    runs: readonly RowRun[] | undefined,
    count: number,
  ): Promise<void> {
    const failed = results.errors.size > 0;
    target.reset();
    target.rowCount = count;
    const all: readonly RowRun[] = runs ?? [{ from: 0, count }];
    let position = 0;
    for (const { vectorIndex } of columns.keep) {
      const source = chunk.chunk.getColumnVector(vectorIndex);
      const to = target.getColumnVector(position++);
      copyKept(source, to, all, count);
    }
    const validity = failed && runs === undefined ? clearedBits(count, results.errors.keys()) : undefined;
    if (columns.hasScore)
      writeNumbers(target.getColumnVector(position++), results.scores, 0, 1, all, validity);
    if (columns.hasLabel) {
      const to = target.getColumnVector(position++);
      if (codes === undefined) writeLabels(to, results.labels, all, labels);
      else if (!codes.write(to, results.labels, all)) {
        await takeAnyLabel();
        return appendChunk(chunk, results, runs, count);
      }
    }
    const classes = columns.probabilities.length;
    for (let index = 0; index < classes; index++) {
      const to = target.getColumnVector(position++);
      writeNumbers(to, results.probabilities, index, classes, all, validity);
    }
    if (hasErrors) bytes += writeErrors(target.getColumnVector(position), results.errors, count);
    appender.appendDataChunk(target);
    rows += count;
    bytes += count * ((columns.hasScore ? 8 : 0) + (columns.hasLabel ? 16 : 0) + classes * 8);
  }

  return {
    name,
    get inputRows() {
      return inputRows;
    },
    get rows() {
      return rows;
    },
    get errorRows() {
      return errorRows;
    },
    get hasErrors() {
      return hasErrors;
    },
    get bytes() {
      return bytes;
    },
    async append(chunk, results) {
      // A chunk without vectors may have more rows than DuckDB takes at once.
      for (let from = 0; from < results.rowCount; from += APPENDED_ROWS)
        await appendRows(chunk, rowsFrom(results, from, columns.probabilities.length));
    },
    close() {
      appender.closeSync();
    },
  };
}

/** The results of at most APPENDED_ROWS rows from one on. */
function rowsFrom(results: ResultRows, from: number, classes: number): ResultRows {
  if (results.rowCount <= APPENDED_ROWS) return results;
  const end = Math.min(results.rowCount, from + APPENDED_ROWS);
  const errors = new Map<number, string>();
  for (const [row, message] of results.errors) if (row >= from && row < end) errors.set(row - from, message);
  return {
    rowCount: end - from,
    scores: results.scores.subarray(from, end),
    labels: results.labels.slice(from, end),
    probabilities: results.probabilities.subarray(from * classes, end * classes),
    errors,
  };
}

/** What the kept columns of a chunk take; of nested ones a guess. */
function keptBytes({ chunk }: TableChunk, { keep }: ResultColumns): number {
  let bytes = 0;
  for (const { vectorIndex } of keep) {
    const vector = chunk.getColumnVector(vectorIndex);
    bytes += textBytes(vector) + (rowBytes(vector)?.byteLength ?? vector.itemCount * 64);
  }
  return bytes;
}

function writeNumbers(
  to: DuckDBVector,
  values: Float64Array,
  offset: number,
  stride: number,
  runs: readonly RowRun[],
  validity: Uint8Array | undefined,
): void {
  const bytes = rowBytes(to)!;
  const target = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
  let row = 0;
  for (const { from, count } of runs) {
    if (stride === 1) {
      target.set(values.subarray(from, from + count), row);
      row += count;
    } else {
      let source = from * stride + offset;
      for (const end = row + count; row < end; row++, source += stride) target[row] = values[source]!;
    }
  }
  flushRowBytes(to, validity);
}

function writeLabels(
  to: DuckDBVector,
  labels: readonly (string | undefined)[],
  runs: readonly RowRun[],
  pool: LabelPool,
): void {
  const headers = headerWords(to);
  const missing: number[] = [];
  let row = 0;
  for (const { from, count } of runs) {
    for (let source = from; source < from + count; source++, row++) {
      const label = labels[source];
      if (label === undefined) missing.push(row);
      else if (!pool.write(label, headers, row)) {
        writeLabelsSingly(to, labels, runs);
        return;
      }
    }
  }
  flushRowBytes(to, missing.length === 0 ? undefined : clearedBits(to.itemCount, missing));
}

/** For a result with more different labels than a pool holds. */
function writeLabelsSingly(
  to: DuckDBVector,
  labels: readonly (string | undefined)[],
  runs: readonly RowRun[],
): void {
  let row = 0;
  for (const { from, count } of runs) {
    for (let source = from; source < from + count; source++)
      to.setItem(row++, (labels[source] ?? null) as never);
  }
  to.flush();
}

function writeErrors(to: DuckDBVector, errors: ReadonlyMap<number, string>, count: number): number {
  let bytes = count * 16;
  setValidityBits(to, new Uint8Array(Math.ceil(count / 64) * 8));
  for (const [row, message] of errors) {
    to.setItem(row, message as never);
    bytes += message.length;
  }
  to.flush();
  return bytes;
}
