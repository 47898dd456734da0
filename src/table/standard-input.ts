import { rmSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type CsvDialect, type CsvOptions, csvDialect, detectDelimiter } from "./csv-dialect.ts";
import { csvFile } from "./csv-file.ts";
import type { DuckdbSession } from "./duckdb-session.ts";
import { fileColumns } from "./file-source.ts";
import { jsonText, ndjsonFile, ndjsonKeys } from "./ndjson-file.ts";
import { peekStart, type RecordBlock, recordBlocks } from "./record-blocks.ts";
import { tableError } from "./table-error.ts";
import type { TableFile } from "./table-file.ts";
import type { TableColumn, TableSource } from "./table-source.ts";

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
  readonly csv: CsvOptions;
  /** Default: the system's. */
  readonly temporaryFolder?: string | undefined;
}

/**
 * Opens CSV or NDJSON from a stream. DuckDB reads files, so that the stream passes through one temporary file, some MB
 * of whole records at a time. The first block tells the columns; it can be read once, from row 0.
 */
export async function openStandardInput(options: StandardInputOptions): Promise<TableSource> {
  const { session, name, input, format } = options;
  const folder = await mkdtemp(join(options.temporaryFolder ?? tmpdir(), "assay-input-"));
  const path = join(folder, format === "csv" ? "block.csv" : "block.ndjson");
  let csv = options.csv;
  const close = () => {
    input.destroy();
    session.close();
    rmSync(folder, { recursive: true, force: true });
  };
  let next: Promise<IteratorResult<RecordBlock>>;
  let openBlock: (block: RecordBlock) => TableFile;
  let columns: readonly TableColumn[];
  let blocks: AsyncGenerator<RecordBlock>;
  try {
    const { start, parts } = await peekStart(input[Symbol.asyncIterator]());
    if (format === "csv" && csv.delimiter === undefined) {
      // Where records end can depend on it, and the first block is cut before it is read.
      csv = { ...csv, delimiter: detectDelimiter(start.toString("latin1"), csv.quote ?? QUOTE) };
    }
    blocks = recordBlocks(name, input, parts, format === "csv" ? { quote: QUOTE, ...csv } : undefined);
    const first = await blocks.next();
    const bytes = first.done ? Buffer.alloc(0) : first.value.bytes;
    await writeFile(path, bytes);
    ({ columns, openBlock } =
      format === "csv"
        ? openCsvBlocks({ session, name, path, bytes }, csv)
        : await openNdjsonBlocks({ session, name, path, bytes }));
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
        if (blocksRead > 0) await writeFile(path, block.bytes);
        next = blocks.next();
        // It may fail while this block is read; the failure is thrown when its turn comes.
        next.catch(() => {});
        const file = openBlock(block);
        for await (const chunk of file.read(fileColumns(file, requests), 0)) {
          yield { chunk, fromRow: row, file: name, fileRow: row + 1 };
          row += chunk.rowCount;
        }
      }
    },
    close,
  };
}

interface OpenedBlocks {
  readonly columns: readonly TableColumn[];
  openBlock(block: RecordBlock): TableFile;
}

interface FirstBlock {
  readonly session: DuckdbSession;
  readonly name: string;
  readonly path: string;
  readonly bytes: Buffer;
}

function openCsvBlocks({ session, name, path, bytes }: FirstBlock, options: CsvOptions): OpenedBlocks {
  const dialect = csvDialect(name, bytes.subarray(0, 1 << 20), options);
  if (dialect.encoding === "utf-16") throw tableError(`${name} is UTF-16; pass it as UTF-8`);
  const later: CsvDialect = { ...dialect, header: false, skippedLines: 0 };
  const open = ({ linesBefore }: RecordBlock) =>
    csvFile(session, { name, path, dialect: linesBefore === 0 ? dialect : later, linesBefore });
  return { columns: open({ bytes, linesBefore: 0 }).columns, openBlock: open };
}

async function openNdjsonBlocks({ session, name, path, bytes }: FirstBlock): Promise<OpenedBlocks> {
  if (/^\ufeff?\s*\[/.test(bytes.toString("utf8", 0, 4096))) {
    throw tableError(`${name} is a JSON array, and an object a line is expected (jq -c '.[]' makes them)`);
  }
  const origin = { name, path, layout: "newline_delimited", linesBefore: 0 } as const;
  const keys = await ndjsonKeys(session, origin);
  const type = await jsonText(session);
  const columns = keys.map((key) => ({ name: key, type }));
  return {
    columns,
    openBlock: ({ linesBefore }) => ndjsonFile(session, { ...origin, linesBefore }, columns),
  };
}
