import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { zstdDecompressSync } from "node:zlib";
import { DOUBLE, DuckDBDataChunk } from "@duckdb/node-api";
import {
  CompressionType,
  compressionRegistry,
  type RecordBatch,
  RecordBatchReader,
  type Schema,
} from "apache-arrow";
import { AssayError, messageOf } from "../../errors.ts";
import { chunkRead } from "../duckdb/chunk-memory.ts";
import { fileColumns } from "../read/file-source.ts";
import { notResumableStream } from "../read/standard-input.ts";
import type { FileColumn, TableFile } from "../read/table-file.ts";
import { tableError } from "../table-error.ts";
import type { TableColumn, TableSource } from "../table-source.ts";
import { wholeMessages } from "./arrow-messages.ts";
import { type ArrowColumn, arrowColumn, copyRows } from "./arrow-to-duckdb.ts";
import { passOverUnreadTypes, unreadType } from "./arrow-unread-types.ts";
import { unpackLz4Frame } from "./lz4-frame.ts";

const CHUNK_ROWS = 2048;
const READ_BYTES = 1 << 18;
/** What a file of the file format begins and ends with; before the one at its end stand 4 bytes, the footer's length. */
const FILE_MAGIC = Buffer.from("ARROW1");
const FOOTER_LENGTH_BYTES = 4;

compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: unpackLz4Frame });
passOverUnreadTypes();
compressionRegistry.set(CompressionType.ZSTD, { decode: (bytes) => zstdDecompressSync(bytes) });

/**
 * Opens an Arrow IPC file, of the file or the stream format, with buffers as they are or compressed by LZ4 or ZSTD. It is
 * read a record batch at a time.
 */
export async function openArrowFile(path: string): Promise<TableFile> {
  const opened = await openReader(path, await openBytes(path));
  const columns = arrowColumns(opened.reader.schema);
  await opened.close();
  let rowCount: number | undefined;
  async function* batches(): AsyncGenerator<RecordBatch> {
    const { reader, close } = await openReader(path, await openBytes(path));
    try {
      yield* batchesOf(reader, path);
    } finally {
      await close();
    }
  }
  return {
    name: path,
    columns: columns.listed,
    rowCount: undefined,
    async countRows() {
      if (rowCount === undefined) {
        let rows = 0;
        for await (const batch of batches()) rows += batch.numRows;
        rowCount = rows;
      }
      return rowCount;
    },
    async *read(requests, fromRow) {
      yield* chunksOf(path, batches(), columns, requests, fromRow);
    },
  };
}

/** Opens standard input, or a pipe, as an Arrow IPC stream. */
export async function openArrowInput(name: string, input: Readable): Promise<TableSource> {
  const { reader, close } = await openReader(name, input);
  if (reader.isFile()) {
    await close();
    throw tableError(`${name} is an Arrow file, whose index stands at its end; pass an Arrow stream`);
  }
  const columns = arrowColumns(reader.schema);
  const file = { name, columns: columns.listed };
  let isRead = false;
  return {
    format: "arrow",
    inputs: [{ name, sizeBytes: 0, modifiedAtMs: 0 }],
    columns: columns.listed,
    rowCount: undefined,
    notResumable: notResumableStream(name),
    async *read(requests, fromRow) {
      if (isRead || fromRow > 0) throw tableError(notResumableStream(name));
      isRead = true;
      let row = 0;
      const wanted = fileColumns(file, requests);
      for await (const chunk of chunksOf(name, batchesOf(reader, name), columns, wanted, 0)) {
        yield { chunk, fromRow: row, file: name, fileRow: row + 1 };
        row += chunk.rowCount;
      }
    },
    close: () => {
      input.destroy();
    },
  };
}

type ArrowReader = Awaited<ReturnType<typeof RecordBatchReader.from>>;

interface ArrowColumns {
  readonly listed: readonly TableColumn[];
  readonly read: readonly ArrowColumn[];
  /** As Arrow calls them. */
  readonly typeNames: readonly string[];
}

function arrowColumns(schema: Schema): ArrowColumns {
  const read = schema.fields.map((field) => arrowColumn(field.type));
  return {
    listed: schema.fields.map(({ name }, index) => ({ name, type: read[index]!.type })),
    read,
    typeNames: schema.fields.map(({ type }) => unreadType(type) ?? String(type)),
  };
}

/** A file of the file format as its handle, one of the stream format as its bytes. */
async function openBytes(path: string): Promise<FileHandle | Readable> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    if (await isFileFormat(path, handle)) return handle;
    return handle.createReadStream({ start: 0, highWaterMark: READ_BYTES });
  } catch (error) {
    await handle?.close();
    throw unreadableArrow(path, error);
  }
}

/** The library takes whatever stands at the end of a cut file for its index, which may then list no columns at all. */
async function isFileFormat(path: string, handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  const start = Buffer.alloc(FILE_MAGIC.length);
  await handle.read(start, 0, start.length, 0);
  if (!start.equals(FILE_MAGIC)) return false;
  const end = Buffer.alloc(FOOTER_LENGTH_BYTES + FILE_MAGIC.length);
  const indexEnd = size - end.length;
  if (indexEnd > 0) await handle.read(end, 0, end.length, indexEnd);
  const indexBytes = end.readInt32LE();
  const isWhole = end.subarray(FOOTER_LENGTH_BYTES).equals(FILE_MAGIC);
  if (isWhole && indexBytes > 0 && indexBytes < indexEnd) return true;
  throw tableError(
    `${path} cannot be read as Arrow IPC: it is cut off (it begins as an Arrow file, and has no index at its end); copy or write it anew`,
  );
}

async function openReader(
  name: string,
  source: FileHandle | Readable,
): Promise<{ reader: ArrowReader; close: () => Promise<void> }> {
  const close = async () => {
    if ("destroy" in source) source.destroy();
    else await source.close().catch(() => {});
  };
  try {
    const bytes = "destroy" in source ? wholeMessages(source) : source;
    const reader = (await RecordBatchReader.from(bytes as FileHandle)) as ArrowReader;
    await reader.open();
    if (reader.schema === undefined || reader.schema === null) throw new Error("it holds no Arrow schema");
    return { reader, close };
  } catch (error) {
    await close();
    throw unreadableArrow(name, error);
  }
}

async function* batchesOf(reader: ArrowReader, name: string): AsyncGenerator<RecordBatch> {
  try {
    for await (const batch of reader as AsyncIterable<RecordBatch>) yield batch;
  } catch (error) {
    throw unreadableArrow(name, error);
  }
}

async function* chunksOf(
  name: string,
  batches: AsyncIterable<RecordBatch>,
  columns: ArrowColumns,
  requests: readonly FileColumn[],
  fromRow: number,
): AsyncGenerator<DuckDBDataChunk> {
  for (const { index, constant } of requests) {
    if (constant !== undefined) continue;
    if (columns.read[index]!.value !== undefined) continue;
    const { name: column } = columns.listed[index]!;
    throw tableError(
      `${name}, column ${JSON.stringify(column)}: ${columns.typeNames[index]} is not read from Arrow files; cast it before the file is written (pyarrow: table.set_column, column.cast)`,
    );
  }
  const types = requests.map(({ index, asDouble, constant }) => {
    if (constant !== undefined) return constant.type;
    return asDouble ? DOUBLE : columns.read[index]!.type;
  });
  let skip = fromRow;
  for await (const batch of batches) {
    for (let start = Math.min(skip, batch.numRows); start < batch.numRows; start += CHUNK_ROWS) {
      const rowCount = Math.min(CHUNK_ROWS, batch.numRows - start);
      const chunk = DuckDBDataChunk.create(types, rowCount);
      for (const [position, { index, asDouble, constant }] of requests.entries()) {
        const vector = chunk.getColumnVector(position);
        if (constant !== undefined) {
          for (let row = 0; row < rowCount; row++) vector.setItem(row, constant.value as never);
          vector.flush();
          continue;
        }
        copyRows(batch.getChildAt(index)!, start, vector, columns.read[index]!, asDouble);
      }
      // Texts and blobs are set in DuckDB's memory and not in the vectors' copies of their headers; setting the count
      // has the chunk make its vectors anew.
      chunk.rowCount = rowCount;
      chunkRead();
      yield chunk;
    }
    skip = Math.max(0, skip - batch.numRows);
  }
}

function unreadableArrow(name: string, error: unknown): AssayError {
  if (error instanceof AssayError) return error;
  if (error instanceof Error && "syscall" in error) {
    return tableError(`${name} cannot be read: ${error.message}`, error);
  }
  const text = messageOf(error);
  const unknown = /^Unrecognized type: "?(\w+)"?/.exec(text);
  if (unknown !== null) {
    return tableError(
      `${name} has a column of the Arrow type ${unknown[1]}, which is not known here; write the file without it`,
      error,
    );
  }
  // Where bytes are not what the library expects, it stumbles over a type or a range, which tells a user nothing.
  const isStumble = error instanceof TypeError || error instanceof RangeError;
  const reason = isStumble || !(error instanceof Error) ? "" : ` (${error.message.replace(/\.$/, "")})`;
  return tableError(
    `${name} cannot be read as Arrow IPC: it is cut off, or is no Arrow file or stream${reason}`,
    error,
  );
}
