import { DuckDBDataChunk, type DuckDBVector, VARCHAR } from "@duckdb/node-api";
import { rowBytes } from "../duckdb/vector-memory.ts";

const CAPACITY = 2048;

/** Texts that come again and again, kept in DuckDB's memory once, so that a row costs 16 bytes and no conversion. */
export interface LabelPool {
  /** Writes the header of `label` at `row` of a VARCHAR vector's `headers`, as 32-bit words; false where the pool is full. */
  write(label: string, headers: Int32Array, row: number): boolean;
}

/** Creates a pool of at most 2,048 texts. It must outlive the appending of every chunk written from it. */
export function createLabelPool(): LabelPool {
  const chunk = DuckDBDataChunk.create([VARCHAR], CAPACITY);
  const positions = new Map<string, number>();
  let words: Int32Array = new Int32Array(0);

  function add(label: string): number {
    const position = positions.size;
    const vector = chunk.getColumnVector(0);
    vector.setItem(position, label as never);
    vector.flush();
    // A vector shows a copy of DuckDB's memory; setting the count makes the chunk give a new one.
    chunk.rowCount = CAPACITY;
    words = headerWords(chunk.getColumnVector(0));
    positions.set(label, position);
    return position;
  }

  return {
    write(label, headers, row) {
      let position = positions.get(label);
      if (position === undefined) {
        if (positions.size === CAPACITY) return false;
        position = add(label);
      }
      const from = position * 4;
      const to = row * 4;
      headers[to] = words[from]!;
      headers[to + 1] = words[from + 1]!;
      headers[to + 2] = words[from + 2]!;
      headers[to + 3] = words[from + 3]!;
      return true;
    },
  };
}

/** The 16-byte headers of a VARCHAR vector as 32-bit words. */
export function headerWords(vector: DuckDBVector): Int32Array {
  const bytes = rowBytes(vector)!;
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
