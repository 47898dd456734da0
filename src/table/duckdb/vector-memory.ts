import { DuckDBHugeIntVector, type DuckDBVector } from "@duckdb/node-api";

/** What node-api keeps of a vector besides its public face; its version is pinned and a test holds these names. */
interface VectorInternals {
  readonly items?: ArrayBufferView;
  readonly dataView?: DataView;
  readonly validity: ValidityInternals;
  readonly vector: never;
}

interface ValidityInternals {
  data: BigUint64Array | null;
  readonly offset: number;
}

/**
 * The vector's own memory, row by row at a fixed width: numbers, dates, decimals, and the 16-byte headers of texts and
 * blobs (their length, and the bytes or a pointer to them). Undefined for nested types, which have no such memory.
 */
export function rowBytes(vector: DuckDBVector): Uint8Array | undefined {
  const { items, dataView } = vector as unknown as VectorInternals;
  const memory = items ?? dataView;
  return memory && new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
}

/** One bit a row, lowest first, 1 for a value; undefined where no row is null. */
export function validityBits(vector: DuckDBVector): Uint8Array | undefined {
  const { data } = (vector as unknown as VectorInternals).validity;
  return data === null ? undefined : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Sets all bits at once; rows set afterwards become values, and the vector's own flush gives them to DuckDB. */
export function setValidityBits(vector: DuckDBVector, bits: Uint8Array): void {
  const data = new BigUint64Array(bits.buffer, bits.byteOffset, bits.byteLength / 8);
  (vector as unknown as VectorInternals).validity.data = data;
}

/**
 * Gives what was written into `rowBytes` back to DuckDB, with the bits of the rows that are not null (undefined: all
 * are). Headers of texts may point into another vector's memory: that one must live until the chunk has been appended.
 */
export function flushRowBytes(vector: DuckDBVector, validity: Uint8Array | undefined): void {
  const internals = vector as unknown as VectorInternals;
  if (validity !== undefined) setValidityBits(vector, validity);
  if (internals.dataView !== undefined && internals.dataView.byteLength === vector.itemCount * 16) {
    // The vectors of texts flush only what was set through them; one of 16-byte numbers flushes any 16 bytes a row.
    const { dataView, vector: memory } = internals;
    new DuckDBHugeIntVector(dataView, internals.validity as never, memory, vector.itemCount).flush();
  } else {
    vector.flush();
  }
}
