import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { beginning, foreignKind, KIND_BYTES, type Packing, packingOf } from "../file-kind.ts";
import { tableError } from "../table-error.ts";
import type { TableFormat } from "../table-source.ts";
import { systemCause } from "../write-failure.ts";

/** What names of packed files end in. */
const ENDINGS: readonly (readonly [ending: RegExp, packing: Exclude<Packing, "none">])[] = [
  [/\.gz$/i, "gzip"],
  [/\.zstd?$/i, "zstd"],
];
/** zlib's and zstd's words for a file that ends too soon. */
const CUT_OFF = /unexpected end of file|Src size is incorrect|Unexpected end/i;

/** The first bytes of a file as they lie there. Throws a TABLE_INVALID where it cannot be read. */
export async function rawHead(path: string, maxBytes = KIND_BYTES): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const head = Buffer.alloc(maxBytes);
      return head.subarray(0, (await file.read(head, 0, maxBytes, 0)).bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadableBytes(path, error);
  }
}

/**
 * How a file of text is packed. Throws a TABLE_INVALID where its name says another packing than its bytes, where it is
 * damaged or cut off (DuckDB reads what there is of it, and says nothing), packed twice, or of a kind that is not read.
 */
export async function checkBytes(path: string, format: TableFormat): Promise<Packing> {
  const raw = await rawHead(path);
  const packing = packingOf(raw);
  const named = ENDINGS.find(([ending]) => ending.test(path));
  if (named !== undefined && named[1] !== packing && raw.length > 0) {
    const is = packing === "none" ? `is no ${named[1]} file` : `is packed by ${packing}`;
    throw tableError(
      `${path} ${is}, though its name ends in ${named[0].exec(path)![0]}: ${beginning(raw)}; rename it to what it is`,
    );
  }
  let head = raw;
  if (packing !== "none" && format !== "csv" && format !== "ndjson") {
    const tool = packing === "gzip" ? "gunzip" : "unzstd";
    throw tableError(
      `${path} is packed by ${packing} as a whole, and ${format} packs its own parts: unpack it first (${tool})`,
    );
  }
  if (packing !== "none") {
    await checkPacked(path, packing);
    head = await readHead(path, packing, KIND_BYTES);
    const again = packingOf(head);
    if (again !== "none") {
      const tool = packing === "gzip" ? "gunzip" : "unzstd";
      throw tableError(
        `${path} is packed twice: what is in it is packed by ${again} again; unpack it once (${tool})`,
      );
    }
  }
  const foreign = foreignKind(head, format);
  if (foreign !== undefined)
    throw tableError(`${path} is ${packing === "none" ? "" : `a packed file: in it is `}${foreign}`);
  return packing;
}

/** A file's bytes, unpacked. Whoever stops early destroys it. */
export function openBytes(path: string, packing: Packing): Readable {
  if (packing === "zstd") return Readable.from(zstdFrames(path), { objectMode: false });
  const file = createReadStream(path);
  if (packing === "none") return file;
  const unpacked = createGunzip();
  file.once("error", (error) => unpacked.destroy(error));
  unpacked.once("close", () => file.destroy());
  return file.pipe(unpacked);
}

/** Node ends after the first frame; what is packed in parallel, or joined by `cat`, has many. */
async function* zstdFrames(path: string): AsyncGenerator<Buffer> {
  const { size } = await stat(path);
  for (let at = 0; at < size; ) {
    const file = createReadStream(path, { start: at });
    const unpacked = createZstdDecompress();
    file.once("error", (error) => unpacked.destroy(error));
    try {
      for await (const part of file.pipe(unpacked) as AsyncIterable<Buffer>) yield part;
    } finally {
      file.destroy();
    }
    if (unpacked.bytesWritten === 0) throw new Error("a frame without an end");
    at += unpacked.bytesWritten;
  }
}

/** The first bytes of a file, unpacked, at most `maxBytes`. */
export async function readHead(path: string, packing: Packing, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of openBytes(path, packing) as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length >= maxBytes) break;
  }
  return Buffer.concat(parts).subarray(0, maxBytes);
}

async function checkPacked(path: string, packing: Packing): Promise<void> {
  const discard = new Writable({ write: (_bytes, _encoding, done) => done() });
  try {
    await pipeline(openBytes(path, packing), discard);
  } catch (error) {
    if (error instanceof Error && "syscall" in error) throw unreadableBytes(path, error);
    const { message } = error as Error;
    const what = CUT_OFF.test(message) ? "is cut off: its end is missing" : `is damaged (${message})`;
    throw tableError(`${path} ${what}; it is packed by ${packing}: copy or write it anew`, error);
  }
}

function unreadableBytes(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  return tableError(`${path} cannot be read: ${systemCause(error) ?? error.message}`, error);
}
