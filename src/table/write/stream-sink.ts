/**
 * The sink that writes to a stream, `--output -`. Comes in: results in the order of the input. Goes out: their rows in
 * that order, every 50,000 or every second, whichever is first, so that whoever reads sees them soon. Parquet ends with
 * its index, so it comes as a whole when the last row is there. Promises: waits for the reader, so memory does not grow;
 * rows once written are gone, a run cannot be resumed; the stream is not closed, it is its owner's.
 */
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { DuckDBType } from "@duckdb/node-api";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { OutputPacking } from "../format-endings.ts";
import type { ResultColumns } from "../result-rows.ts";
import type { TableSink, WrittenRows } from "../table-sink.ts";
import type { TableFormat } from "../table-source.ts";
import { makeTemporaryFolder, temporaryFailure } from "../temporary-folder.ts";
import { writeFailure } from "../write-failure.ts";
import { openFileSink } from "./file-sink.ts";
import { outputColumns } from "./output-columns.ts";
import { openOutputDatabase } from "./output-database.ts";
import { createResultTable, type ResultTable } from "./result-table.ts";
import { createTableWriter } from "./table-writer.ts";

/** Options of a stream sink. */
export interface StreamSinkOptions {
  readonly output: Writable;
  readonly format: TableFormat;
  /** Of Parquet; the others come as they are. */
  readonly packing?: OutputPacking;
  readonly columns: ResultColumns;
  /** The types of `columns.keep`, as the source has them. */
  readonly keepTypes: readonly DuckDBType[];
  /** Rows that are written at once. Default 50,000. */
  readonly flushRows?: number;
  /** How long a row waits for others. Default 1,000. */
  readonly flushIntervalMs?: number;
  /** Where a folder for the rows on their way, for Parquet the whole output, is made. Default: the system's. */
  readonly temporaryFolder?: string;
}

/**
 * Opens the sink. Its methods throw CANCELLED where whoever read the stream has gone (EPIPE), which is no failure of the
 * job, and TABLE_INVALID where the stream cannot be written.
 */
export async function openStreamSink(options: StreamSinkOptions): Promise<TableSink> {
  const folder = await makeTemporaryFolder("output", options.temporaryFolder);
  try {
    const { format } = options;
    return format === "parquet"
      ? await openWholeFile(options, folder)
      : await openRows(options, format, folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function openRows(
  options: StreamSinkOptions,
  format: Exclude<TableFormat, "parquet">,
  folder: string,
): Promise<TableSink> {
  const { flushRows = 50_000, flushIntervalMs = 1_000 } = options;
  const columns = outputColumns(options.columns, options.keepTypes, format);
  const database = await openOutputDatabase(join(folder, "spill"), 256);
  const output = streamWriter(options.output);
  const writer = createTableWriter(database, columns, format, join(folder, "rows"), output.write);
  let filling: ResultTable | undefined;
  let timer: NodeJS.Timeout | undefined;
  let tables = 0;
  let written: WrittenRows = { inputRows: 0, rows: 0, errorRows: 0 };
  let turn: Promise<void> = Promise.resolve();

  /** One thing at a time: the timer may come while a chunk is being appended. */
  function inTurn(action: () => Promise<void>): Promise<void> {
    turn = turn.then(action).catch((error: unknown) => {
      throw temporaryFailure(folder, error);
    });
    // A failure of the timer's turn is met by whoever comes next.
    turn.catch(() => {});
    return turn;
  }

  async function append(...row: Parameters<TableSink["append"]>): Promise<void> {
    if (filling === undefined) {
      filling = await createResultTable(database, `rows_${tables++}`, options.columns, columns);
      timer = setTimeout(() => inTurn(flush), flushIntervalMs);
    }
    await filling.append(...row);
    if (filling.inputRows >= flushRows || filling.bytes >= 64 << 20) await flush();
  }

  async function flush(): Promise<void> {
    clearTimeout(timer);
    const filled = filling;
    if (filled === undefined) return;
    filling = undefined;
    filled.close();
    await writer.write(filled);
    const { inputRows, rows, errorRows } = filled;
    written = {
      inputRows: written.inputRows + inputRows,
      rows: written.rows + rows,
      errorRows: written.errorRows + errorRows,
    };
  }

  async function writeNoRows(): Promise<void> {
    const empty = await createResultTable(database, "rows_none", options.columns, columns);
    empty.close();
    await writer.write(empty);
  }

  async function leave(): Promise<void> {
    clearTimeout(timer);
    await turn.catch(() => {});
    output.release();
    database.close();
    await rm(folder, { recursive: true, force: true });
  }

  return {
    get written() {
      return written;
    },
    append: (chunk, results) => inTurn(() => append(chunk, results)),
    async finish() {
      try {
        await inTurn(async () => {
          await flush();
          if (tables === 0) await writeNoRows();
          await writer.finish();
        });
        return written;
      } finally {
        await leave();
      }
    },
    abort: leave,
  };
}

async function openWholeFile(options: StreamSinkOptions, folder: string): Promise<TableSink> {
  const path = join(folder, "output.parquet");
  const fingerprint = { inputs: [], model: { name: "", version: "", sha256: "" }, settings: {} };
  const sink = await openFileSink({
    ...options,
    outputPath: path,
    fingerprint,
    overwrite: false,
    restart: false,
  });
  const output = streamWriter(options.output);
  return {
    get written() {
      return sink.written;
    },
    append: (chunk, results) => sink.append(chunk, results),
    async finish() {
      try {
        const written = await sink.finish();
        for await (const bytes of createReadStream(path, { highWaterMark: 1 << 20 }))
          await output.write([bytes]);
        return written;
      } finally {
        output.release();
        await rm(folder, { recursive: true, force: true });
      }
    },
    async abort() {
      output.release();
      await sink.abort();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Writes to the stream and waits until it has taken the bytes. */
function streamWriter(output: Writable) {
  // The error comes to the write that it concerns; without a listener it would end the process as well.
  const ignore = () => {};
  output.on("error", ignore);
  return {
    async write(chunks: readonly Uint8Array[]): Promise<void> {
      for (const chunk of chunks) {
        await new Promise<void>((resolve, reject) => {
          output.write(chunk, (error) => (error ? reject(streamFailure(error)) : resolve()));
        });
      }
    },
    release: () => output.off("error", ignore),
  };
}

function streamFailure(error: Error): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EPIPE" || code === "ERR_STREAM_DESTROYED" || code === "ERR_STREAM_WRITE_AFTER_END") {
    const message = "whoever read the output has gone; the rest is not scored";
    return new AssayError(Reason.CANCELLED, message, { cause: error });
  }
  return writeFailure("standard output", error);
}
