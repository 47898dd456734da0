import type { DuckDBVector } from "@duckdb/node-api";
import { JOINED_SEPARATOR } from "../../table/duckdb/joined-texts.ts";

const utf8 = new TextEncoder();

/** The middling texts of several columns of one chunk; `position` is a column's in `joinedTexts`. */
export interface JoinedTexts {
  readonly bytes: Uint8Array;
  /** False where the row's texts cannot be told apart. */
  has(row: number): boolean;
  from(row: number, position: number): number;
  to(row: number, position: number): number;
}

/** Splits a vector of joined texts of `width` columns. */
export function splitJoinedTexts(vector: DuckDBVector, rowCount: number, width: number): JoinedTexts {
  let bytes = new Uint8Array(rowCount * width * 20 + 64);
  // Where each text begins, and one past the separator after the last.
  const starts = new Int32Array(rowCount * (width + 1));
  const whole = new Uint8Array(rowCount);
  let end = 0;
  for (let row = 0; row < rowCount; row++) {
    const text = vector.getItem(row) as string;
    if (bytes.length < end + 3 * text.length) bytes = grown(bytes, end + 3 * text.length);
    const from = end;
    end += utf8.encodeInto(text, bytes.subarray(from)).written;
    let column = 0;
    starts[row * (width + 1)] = from;
    for (let at = from; at < end; at++) {
      if (bytes[at] === JOINED_SEPARATOR && ++column <= width) starts[row * (width + 1) + column] = at + 1;
    }
    starts[row * (width + 1) + width] = end + 1;
    whole[row] = column === width - 1 ? 1 : 0;
  }
  return {
    bytes,
    has: (row) => whole[row] === 1,
    from: (row, position) => starts[row * (width + 1) + position]!,
    to: (row, position) => starts[row * (width + 1) + position + 1]! - 1,
  };
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * length);
  larger.set(bytes);
  return larger;
}
