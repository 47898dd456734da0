import type { DuckDBListVector } from "@duckdb/node-api";
import type { TableChunk } from "../../table/table-source.ts";
import type { MappedTensor } from "../columns/column-mapping.ts";
import { isValid, validWords, vectorItems } from "./vector-data.ts";

/**
 * The raw contents of an FP32 tensor whose rows were read as lists of floats, or apart from the chunk; NaN for NULL. They are the
 * vector's own copy, or the chunk's floats until those are released, so they outlive the chunk.
 */
export function packedFloats(
  { columns }: MappedTensor,
  vectorIndex: number,
  { chunk, floats }: TableChunk,
): Uint8Array<ArrayBuffer> {
  const apart = floats?.byVector.get(vectorIndex);
  if (apart !== undefined) return bytesOf(apart);
  const { rowCount } = chunk;
  const width = columns.length;
  const lists = chunk.getColumnVector(vectorIndex) as DuckDBListVector;
  const child = lists.childVector;
  const items = vectorItems<Float32Array<ArrayBuffer>>(child);
  const valid = validWords(child, items.length);
  if (valid !== undefined) {
    for (let at = 0; at < items.length; at++) if (!isValid(valid, at)) items[at] = Number.NaN;
  }
  const from = lists.getEntryOffset(0);
  const isWhole = lists.getEntryOffset(rowCount - 1) === from + (rowCount - 1) * width;
  return bytesOf(
    isWhole ? items.subarray(from, from + rowCount * width) : gathered(lists, items, rowCount, width),
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** DuckDB may leave gaps between the lists of a chunk that it cut. */
function gathered(
  lists: DuckDBListVector,
  items: Float32Array,
  rowCount: number,
  width: number,
): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(rowCount * width);
  for (let row = 0; row < rowCount; row++) {
    const from = lists.getEntryOffset(row);
    floats.set(items.subarray(from, from + width), row * width);
  }
  return floats;
}
