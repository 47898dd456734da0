/** UTF-16, which Windows writes (Excel's "Unicode text", PowerShell's `>`), made UTF-8 on its way in. */
import { createWriteStream, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Packing } from "./file-kind.ts";
import { openBytes, readHead } from "./read/file-bytes.ts";
import { tableError } from "./table-error.ts";
import { makeTemporaryFolder, temporaryFailure } from "./temporary-folder.ts";

/** Which byte of a unit comes first. */
export type Utf16 = "utf-16le" | "utf-16be";

/**
 * The UTF-16 of a text by its first bytes: its byte order mark, which no UTF-8 begins with, or where it is told to be UTF-16
 * the zero bytes of its ASCII. Undefined: it is none. Throws where it is UTF-32, or UTF-16 without a mark that nobody told of.
 */
export function utf16Of(name: string, head: Buffer, told: boolean): Utf16 | undefined {
  if (head.length >= 4 && (head.readUInt32LE() === 0xfeff || head.readUInt32BE() === 0xfeff)) {
    throw tableError(`${name} is UTF-32, which is not read; store it as UTF-8`);
  }
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  const start = head.subarray(0, 200 & ~1);
  const zeros = (from: number) =>
    start.filter((byte, at) => at % 2 === from && byte === 0).length / (start.length / 2);
  const found = zeros(1) > 0.7 ? "utf-16le" : zeros(0) > 0.7 ? "utf-16be" : undefined;
  if (told) {
    if (found !== undefined || start.includes(0)) return found ?? "utf-16le";
    throw tableError(
      `${name} is no UTF-16: it has no byte of zero, which every letter of ASCII has there; leave --csv-encoding out`,
    );
  }
  if (found === undefined || start.length < 8) return undefined;
  throw tableError(
    `${name} looks like UTF-16 without its byte order mark; say --csv-encoding utf-16, or store it as UTF-8`,
  );
}

/** Makes UTF-8 of a text's parts. Throws a TABLE_INVALID that names it where it is not UTF-16. */
export async function* utf8Parts(
  name: string,
  parts: AsyncIterable<Uint8Array>,
  encoding: Utf16,
): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (part?: Uint8Array) => {
    try {
      return Buffer.from(part === undefined ? decoder.decode() : decoder.decode(part, { stream: true }));
    } catch (error) {
      throw tableError(
        `${name}: the text is not whole UTF-16: half a character stands alone; store it as UTF-8`,
        error,
      );
    }
  };
  for await (const part of parts) {
    const bytes = decode(part);
    if (bytes.length > 0) yield bytes;
  }
  decode();
}

/** Copies in UTF-8 of files that are not, in one folder of their own; whoever opened it closes it. */
export interface Utf8Copies {
  /** The file to read instead, not packed; undefined where it is no UTF-16. */
  copyOf(path: string, packing: Packing, told: boolean): Promise<string | undefined>;
  close(): void;
}

/** Makes none yet. `parent`: where the folder goes, default the system's. */
export function createUtf8Copies(parent: string | undefined): Utf8Copies {
  let folder: string | undefined;
  let copies = 0;
  return {
    async copyOf(path, packing, told) {
      const encoding = utf16Of(path, await readHead(path, packing, 1024), told);
      if (encoding === undefined) return undefined;
      folder ??= await makeTemporaryFolder("input", parent);
      const copy = join(folder, `utf-8-${copies++}`);
      try {
        await pipeline(utf8Parts(path, openBytes(path, packing), encoding), createWriteStream(copy));
      } catch (error) {
        throw temporaryFailure(folder, error);
      }
      return copy;
    },
    close() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
