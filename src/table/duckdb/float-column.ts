import type { DuckDBDataChunk, DuckDBVector } from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import { rowBytes, validityBits } from "./vector-memory.ts";

/** The values of a FLOAT vector. */
export interface FloatColumn {
  readonly items: Float32Array;
  /** One bit a row, lowest first, 1 for a value; undefined where no row is null. */
  readonly validity: Uint8Array | undefined;
}

/** The values of a vector that is at hand. */
export function floatColumn(vector: DuckDBVector): FloatColumn {
  const { buffer, byteOffset, byteLength } = rowBytes(vector)!;
  return { items: new Float32Array(buffer, byteOffset, byteLength / 4), validity: validityBits(vector) };
}

/**
 * The values of one of a chunk's vectors, which must be FLOAT: nothing asks for its type. Where a chunk has many of them, a vector
 * object of node-api for each costs more than copying its values.
 */
export function floatColumnOf({ chunk }: DuckDBDataChunk, index: number, rowCount: number): FloatColumn {
  const vector = duckdb.data_chunk_get_vector(chunk, index);
  const { buffer, byteOffset } = duckdb.vector_get_data(vector, rowCount * 4);
  const bits: Uint8Array | null = duckdb.vector_get_validity(vector, Math.ceil(rowCount / 64) * 8);
  return { items: new Float32Array(buffer, byteOffset, rowCount), validity: bits ?? undefined };
}
