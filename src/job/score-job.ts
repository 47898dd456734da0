/**
 * The batch job: reads a table, scores it, writes the scores.
 * Comes in: an opened source, a sink and a function that scores one chunk. Goes out: every row's result, in the order of
 * the input, after those that the sink already has from an earlier run.
 * Promises: at most `chunksInFlight` chunks are held at a time, so memory does not grow with the input; the sink gets
 * every row once and in order; the first thing that fails ends the run, and what the sink has for good stays; nothing
 * is left running when `run` settles; the job closes neither source nor scorer, and ends the sink either way.
 */
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { ResultRows } from "../table/result-rows.ts";
import type { TableSink, WrittenRows } from "../table/table-sink.ts";
import type { ColumnRequest, TableChunk, TableSource } from "../table/table-source.ts";

/** The parts of a run. */
export interface ScoreJob {
  readonly source: TableSource;
  readonly columns: readonly ColumnRequest[];
  readonly sink: TableSink;
  /** Scores a chunk's rows; rejects only where nothing more can be scored. */
  readonly scoreChunk: (chunk: TableChunk) => Promise<ResultRows>;
  readonly chunksInFlight: number;
  /** A row with an error ends the run. */
  readonly failOnError: boolean;
  /** Aborted: the run ends with CANCELLED. */
  readonly signal: AbortSignal;
  /** Called after each chunk. `inputRows` counts those of earlier runs too. */
  readonly onRows: (inputRows: number, errorRows: number) => void;
}

/** Runs a job to its end. Rejects with an AssayError; what the sink has by then is there for the next run. */
export async function runScoreJob(job: ScoreJob): Promise<WrittenRows> {
  const { source, sink, signal } = job;
  /** The oldest first, as they are written. Not a Set, whose outgrown tables would keep every chunk until a full collection. */
  const inFlight: Promise<ResultRows>[] = [];
  let { inputRows, errorRows } = sink.written;
  let failure: { readonly error: unknown } | undefined;
  let onSettled = (): void => {};

  /** Writes each chunk as soon as it and all before it are scored, also while the source is waited for. */
  let writing = Promise.resolve();
  async function write(chunk: TableChunk, results: Promise<ResultRows>): Promise<void> {
    const rows = await results;
    if (signal.aborted) throw interrupted();
    if (job.failOnError && rows.errors.size > 0) throw failedRow(chunk, rows);
    await sink.append(chunk, rows);
    inFlight.shift();
    inputRows += rows.rowCount;
    errorRows += rows.errors.size;
    job.onRows(inputRows, errorRows);
  }

  try {
    for await (const chunk of source.read(job.columns, inputRows)) {
      if (failure !== undefined) break;
      if (signal.aborted) throw interrupted();
      const results = job.scoreChunk(chunk);
      // It is awaited in its turn; a rejection before that is no unhandled one.
      results.catch(() => {});
      inFlight.push(results);
      writing = writing
        .then(() => (failure === undefined ? write(chunk, results) : undefined))
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => onSettled());
      while (inFlight.length >= job.chunksInFlight && failure === undefined) {
        await new Promise<void>((resolve) => {
          onSettled = resolve;
        });
      }
    }
    await writing;
    if (failure !== undefined) throw failure.error;
    if (signal.aborted) throw interrupted();
    return await sink.finish();
  } catch (error) {
    failure ??= { error };
    await Promise.allSettled([...inFlight, writing]);
    // What ended the run is what is told, whatever else then goes wrong on the same disk.
    await sink.abort().catch(() => {});
    throw error;
  }
}

function failedRow(chunk: TableChunk, rows: ResultRows): AssayError {
  const [row, message] = [...rows.errors].sort(([a], [b]) => a - b)[0]!;
  const more = rows.errors.size === 1 ? "" : ` (and ${rows.errors.size - 1} more in the rows read with it)`;
  return new AssayError(
    Reason.TABLE_INVALID,
    `${chunk.file} row ${chunk.fileRow + row}: ${message}${more}\n` +
      "--on-error keep writes such rows with their score_error, --on-error skip leaves them out",
  );
}

function interrupted(): AssayError {
  return new AssayError(Reason.CANCELLED, "interrupted");
}
