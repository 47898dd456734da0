import { rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { DuckdbSession } from "../duckdb/duckdb-session.ts";
import { foreignKind, packingOf } from "../file-kind.ts";
import { tableError } from "../table-error.ts";
import type { TableColumn, TableSource } from "../table-source.ts";
import { makeTemporaryFolder, temporaryFailure } from "../temporary-folder.ts";
import { utf8Parts, utf16Of } from "../utf16.ts";
import { systemCause } from "../write-failure.ts";
import {
  type CsvDialect,
  type CsvOptions,
  csvDialect,
  detectDelimiter,
  excelDelimiter,
} from "./csv-dialect.ts";
import { type CsvInputOptions, csvFile } from "./csv-file.ts";
import { fileColumns } from "./file-source.ts";
import { jsonText, ndjsonFile, ndjsonKeys } from "./ndjson-file.ts";
import type { NdjsonOrigin } from "./ndjson-lines.ts";
import { peekStart, type RecordBlock, recordBlocks } from "./record-blocks.ts";
import type { TableFile } from "./table-file.ts";

const QUOTE = '"';

/** Why a stream cannot be resumed. */
export function notResumableStream(name: string): string {
  return `${name} can be read only once`;
}

/** What to read from standard input, and with what. */
export interface StandardInputOptions {
  readonly session: DuckdbSession;
  /** For messages: `standard input`, or a pipe's path. */
  readonly name: string;
  readonly input: Readable;
  readonly format: "csv" | "ndjson";
  readonly csv: CsvInputOptions;
  /** A line of NDJSON that is no object is a row with a fault; else it ends the reading. */
  readonly keepsBadLines: boolean;
  /** Default: the system's. */
  readonly temporaryFolder?: string | undefined;
}

/**
 * Opens CSV or NDJSON from a stream. DuckDB reads files, so that the stream passes through one temporary file, some MB
 * of whole records at a time. The first block tells the columns; it can be read once, from row 0.
 */
export async function openStandardInput(options: StandardInputOptions): Promise<TableSource> {
  const { session, name, input, format } = options;
  const folder = await makeTemporaryFolder("input", options.temporaryFolder);
  const path = join(folder, format === "csv" ? "block.csv" : "block.ndjson");
  const { encoding, ...told } = options.csv;
  let csv: CsvOptions = encoding === "latin-1" ? { ...told, encoding } : told;
  const store = async (bytes: Buffer) => {
    await writeFile(path, bytes).catch((error: unknown) => {
      throw temporaryFailure(folder, error);
    });
  };
  const close = () => {
    input.destroy();
    session.close();
    rmSync(folder, { recursive: true, force: true });
  };
  let next: Promise<IteratorResult<RecordBlock>>;
  let openBlock: OpenedBlocks["openBlock"];
  let columns: readonly TableColumn[];
  let blocks: AsyncGenerator<RecordBlock>;
  try {
    const { start, parts } = await peekText(options, encoding);
    if (format === "csv" && csv.delimiter === undefined) {
      // Where records end can depend on it, and the first block is cut before it is read.
      const text = start.toString("latin1").replace(/^\xef\xbb\xbf/, "");
      const delimiter = excelDelimiter(text)?.delimiter ?? detectDelimiter(text, csv.quote ?? QUOTE);
      csv = { ...csv, delimiter };
    }
    blocks = recordBlocks(name, input, parts, format === "csv" ? { quote: QUOTE, ...csv } : undefined);
    const first = await blocks.next();
    const bytes = first.done ? Buffer.alloc(0) : first.value.bytes;
    await store(bytes);
    ({ columns, openBlock } =
      format === "csv"
        ? openCsvBlocks({ session, name, path, bytes }, csv)
        : await openNdjsonBlocks({ session, name, path, bytes }, options.keepsBadLines));
    next = Promise.resolve(first);
  } catch (error) {
    close();
    throw error;
  }
  let isRead = false;

  return {
    format,
    inputs: [{ name, sizeBytes: 0, modifiedAtMs: 0 }],
    columns,
    rowCount: undefined,
    notResumable: notResumableStream(name),
    async *read(requests, fromRow) {
      if (isRead || fromRow > 0) throw tableError(notResumableStream(name));
      isRead = true;
      let row = 0;
      for (let blocksRead = 0; ; blocksRead++) {
        const { done, value: block } = await next;
        if (done) return;
        if (blocksRead > 0) await store(block.bytes);
        next = blocks.next();
        // It may fail while this block is read; the failure is thrown when its turn comes.
        next.catch(() => {});
        const file = await openBlock(block);
        const blockFrom = row;
        for await (const chunk of file.read(fileColumns(file, requests), 0)) {
          const read = { chunk, fromRow: row, file: name, fileRow: row + 1 };
          const faults = await file.faults?.of(row - blockFrom, chunk.rowCount);
          row += chunk.rowCount;
          yield faults === undefined || faults.size === 0 ? read : { ...read, faults };
        }
      }
    },
    close,
  };
}

interface OpenedBlocks {
  readonly columns: readonly TableColumn[];
  openBlock(block: RecordBlock): TableFile | Promise<TableFile>;
}

/** The text that a stream begins with, and all of it: unpacked, and in UTF-8. */
async function peekText(
  { name, input, format }: StandardInputOptions,
  encoding: CsvInputOptions["encoding"],
): Promise<Awaited<ReturnType<typeof peekStart>>> {
  let peeked = await peekStart(readParts(name, input));
  const packing = packingOf(peeked.start);
  if (packing === "zstd") {
    throw tableError(`${name} is packed by zstd; pass it unpacked: zstd -dc FILE | assay score --input - …`);
  }
  if (packing === "gzip") peeked = await peekStart(unpacked(name, peeked.parts));
  const foreign = foreignKind(peeked.start, format);
  if (foreign !== undefined) throw tableError(`${name} is ${foreign}`);
  if (encoding === "latin-1") return peeked;
  const utf16 = utf16Of(name, peeked.start, encoding === "utf-16");
  return utf16 === undefined ? peeked : peekStart(utf8Parts(name, peeked.parts, utf16));
}

async function* readParts(name: string, input: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const part of input) yield part as Buffer;
  } catch (error) {
    const cause = systemCause(error);
    throw cause === undefined ? error : tableError(`${name} cannot be read: ${cause}`, error);
  }
}

async function* unpacked(name: string, parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const packed = Readable.from(parts, { objectMode: false });
  const plain = createGunzip();
  packed.once("error", (error) => plain.destroy(error));
  try {
    for await (const part of packed.pipe(plain) as AsyncIterable<Buffer>) yield part;
  } catch (error) {
    if (!(error instanceof Error) || !String((error as NodeJS.ErrnoException).code).startsWith("Z_"))
      throw error;
    throw tableError(`${name} is packed by gzip, and cut off or damaged (${error.message})`, error);
  } finally {
    packed.destroy();
    plain.destroy();
  }
}

interface FirstBlock {
  readonly session: DuckdbSession;
  readonly name: string;
  readonly path: string;
  readonly bytes: Buffer;
}

function openCsvBlocks({ session, name, path, bytes }: FirstBlock, options: CsvOptions): OpenedBlocks {
  const dialect = csvDialect(name, bytes.subarray(0, 1 << 20), options);
  const later: CsvDialect = { ...dialect, header: false, skippedLines: 0 };
  const open = ({ linesBefore }: RecordBlock) =>
    csvFile(session, {
      name,
      path,
      packing: "none",
      dialect: linesBefore === 0 ? dialect : later,
      linesBefore,
    });
  return { columns: open({ bytes, linesBefore: 0 }).columns, openBlock: open };
}

async function openNdjsonBlocks(
  { session, name, path, bytes }: FirstBlock,
  keepsBadLines: boolean,
): Promise<OpenedBlocks> {
  if (/^\ufeff?\s*\[/.test(bytes.toString("utf8", 0, 4096))) {
    throw tableError(`${name} is a JSON array, and an object a line is expected (jq -c '.[]' makes them)`);
  }
  const layout = "newline_delimited";
  const origin: NdjsonOrigin = { name, path, packing: "none", layout, linesBefore: 0, keepsBadLines };
  const keys = await ndjsonKeys(session, origin);
  const type = await jsonText(session);
  const columns = keys.map((key) => ({ name: key, type }));
  return {
    columns,
    openBlock: ({ linesBefore }) => ndjsonFile(session, { ...origin, linesBefore }, columns),
  };
}
