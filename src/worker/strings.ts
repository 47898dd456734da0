import { Buffer } from "node:buffer";

/**
 * Strings as they lie in a frame: one run of UTF-8, which is written and read with a native call for many of them, several times
 * cheaper than a call an element. Lengths are in UTF-16 code units, so that the run is cut after it was decoded.
 */
export interface EncodedStrings {
  /** The run, cut where it was joined. */
  readonly pieces: readonly string[];
  readonly byteLength: number;
}

/** Strings that are joined at once: hundreds of thousands take twice as long together as they do in pieces that fit the caches. */
const PIECE_STRINGS = 4096;

/** Joins strings and counts the UTF-8 bytes that they take together, lengths not included. */
export function joinStrings(values: readonly string[]): EncodedStrings {
  const pieces: string[] = [];
  let byteLength = 0;
  for (let from = 0; from < values.length; from += PIECE_STRINGS) {
    const isAll = values.length <= PIECE_STRINGS;
    const piece = (isAll ? values : values.slice(from, from + PIECE_STRINGS)).join("");
    byteLength += Buffer.byteLength(piece);
    pieces.push(piece);
  }
  return { pieces, byteLength };
}

/** Bytes of the lengths that stand before the text. */
export function lengthBytes(count: number): number {
  return count * 4;
}

/** Writes lengths and text at `byteOffset`, a multiple of 4, where there must be room for both. */
export function writeStrings(
  memory: SharedArrayBuffer,
  byteOffset: number,
  values: readonly string[],
  { pieces, byteLength }: EncodedStrings,
): void {
  const lengths = new Int32Array(memory, byteOffset, values.length);
  for (let i = 0; i < values.length; i++) lengths[i] = values[i]!.length;
  const run = Buffer.from(memory, byteOffset + lengthBytes(values.length), byteLength);
  let at = 0;
  for (const piece of pieces) at += run.write(piece, at, "utf8");
}

/** Reads `count` strings whose text takes `byteLength` bytes. */
export function readStrings(
  memory: SharedArrayBuffer,
  byteOffset: number,
  count: number,
  byteLength: number,
): string[] {
  const lengths = new Int32Array(memory, byteOffset, count);
  const text = Buffer.from(memory, byteOffset + lengthBytes(count), byteLength).toString("utf8");
  const values = new Array<string>(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const end = at + lengths[i]!;
    values[i] = text.slice(at, end);
    at = end;
  }
  return values;
}
