import { Buffer } from "node:buffer";

/**
 * Strings as they lie in a frame: one run of UTF-8 costs one native call however many there are, which is several times
 * cheaper than a call an element. Lengths are in UTF-16 code units, so that the run is cut after it was decoded.
 */
export interface EncodedStrings {
  readonly text: string;
  readonly byteLength: number;
}

/** Joins strings and counts the UTF-8 bytes that they take together, lengths not included. */
export function joinStrings(values: readonly string[]): EncodedStrings {
  const text = values.join("");
  return { text, byteLength: Buffer.byteLength(text) };
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
  encoded: EncodedStrings,
): void {
  const lengths = new Int32Array(memory, byteOffset, values.length);
  for (let i = 0; i < values.length; i++) lengths[i] = values[i]!.length;
  Buffer.from(memory, byteOffset + lengthBytes(values.length), encoded.byteLength).write(
    encoded.text,
    "utf8",
  );
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
