import type { DuckDBConnection, DuckDBDataChunk, DuckDBType } from "@duckdb/node-api";
import {
  AsyncByteQueue,
  Field,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  Struct,
} from "apache-arrow";
import { arrowColumn } from "./duckdb-to-arrow.ts";

/** Rows a record batch; readers like fewer, larger ones than DuckDB's chunks. */
const BATCH_ROWS = 65_536;
const BATCH_TEXT_BYTES = 16 << 20;

/** Arrow's two forms: a file, whose footer tells where each batch is, and a stream, which is read as it comes. */
export type ArrowForm = "file" | "stream";

/** Turns chunks of rows into the bytes of an Arrow IPC file or stream. */
export interface ArrowWriter {
  /** The bytes that are due: none until a batch is full. */
  append(chunk: DuckDBDataChunk): Uint8Array[];
  /** The rows that no batch holds yet. */
  flush(): Uint8Array[];
  /** The end; also of a table without rows. */
  finish(): Uint8Array[];
}

/** What the writer puts its bytes into; they are taken out before it writes on, so that nothing gathers here. */
class TakenBytes extends AsyncByteQueue<Uint8Array> {
  take(): Uint8Array[] {
    return this._values.splice(0) as unknown as Uint8Array[];
  }
}

/** Creates a writer of columns of ARROW_TYPES; every column may have nulls. */
export function createArrowWriter(
  names: readonly string[],
  types: readonly DuckDBType[],
  form: ArrowForm,
): ArrowWriter {
  const columns = types.map((type) => arrowColumn(type, BATCH_ROWS));
  const schema = new Schema(columns.map(({ type }, index) => new Field(names[index]!, type, true)));
  const queue = new TakenBytes();
  const writer = form === "file" ? new RecordBatchFileWriter() : new RecordBatchStreamWriter();
  writer.reset(queue, schema);
  let rows = 0;

  function writeBatch(): void {
    const children = columns.map((column) => column.take());
    const type = new Struct(schema.fields);
    writer.write(new RecordBatch(schema, makeData({ type, length: rows, nullCount: 0, children })));
    rows = 0;
  }

  return {
    append(chunk) {
      const count = chunk.rowCount;
      if (rows + count > BATCH_ROWS) writeBatch();
      for (const [index, column] of columns.entries()) column.append(chunk.getColumnVector(index), count);
      rows += count;
      if (rows === BATCH_ROWS || columns.some(({ textBytes }) => textBytes >= BATCH_TEXT_BYTES)) writeBatch();
      return queue.take();
    },
    flush() {
      if (rows > 0) writeBatch();
      return queue.take();
    },
    finish() {
      if (rows > 0) writeBatch();
      writer.finish();
      return queue.take();
    },
  };
}

/** Writes the rows of a query; `write` takes the bytes as they are due. */
export async function writeArrow(
  connection: DuckDBConnection,
  select: string,
  form: ArrowForm,
  write: (bytes: Uint8Array[]) => Promise<void>,
): Promise<void> {
  const result = await connection.stream(select);
  const writer = createArrowWriter(result.columnNames(), result.columnTypes(), form);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    const bytes = writer.append(chunk);
    if (bytes.length > 0) await write(bytes);
  }
  await write(writer.finish());
}
