import { createReadStream } from "node:fs";
import { type Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

/** A file's bytes, unpacked where its name ends in `.gz`. Whoever stops early destroys it. */
export function openBytes(path: string): Readable {
  const file = createReadStream(path);
  if (!isPacked(path)) return file;
  const unpacked = createGunzip();
  file.once("error", (error) => unpacked.destroy(error));
  unpacked.once("close", () => file.destroy());
  return file.pipe(unpacked);
}

/** The first bytes of a file, at most `maxBytes`. */
export async function readHead(path: string, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of openBytes(path) as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length >= maxBytes) break;
  }
  return Buffer.concat(parts).subarray(0, maxBytes);
}

/**
 * Unpacks a file whose name ends in `.gz` to its end, and throws where it is cut off or damaged: DuckDB reads what there
 * is of it, and says nothing.
 */
export async function checkPacked(path: string): Promise<void> {
  if (!isPacked(path)) return;
  const discard = new Writable({ write: (_bytes, _encoding, done) => done() });
  await pipeline(openBytes(path), discard);
}

function isPacked(path: string): boolean {
  return /\.gz$/i.test(path);
}
