import type { DuckDBVector } from "@duckdb/node-api";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";

/** The parts of DuckDB's vectors that hold a column's values in one piece; the package declares them private. */
interface VectorParts {
  readonly items?: unknown;
  readonly dataView?: unknown;
  readonly validity?: { readonly data: BigUint64Array | null; readonly offset: number };
}

/** A vector's numbers where they lie: valid while the chunk lives. Throws INTERNAL for vectors that have none. */
export function vectorItems<T extends ArrayBufferView>(vector: DuckDBVector): T {
  const { items } = vector as unknown as VectorParts;
  if (!ArrayBuffer.isView(items)) throw unknownLayout(vector);
  return items as T;
}

/** The cells of a vector of strings or booleans as DuckDB lays them out. */
export function vectorCells(vector: DuckDBVector): DataView {
  const { dataView } = vector as unknown as VectorParts;
  if (!(dataView instanceof DataView)) throw unknownLayout(vector);
  return dataView;
}

/** One bit a row, 32 rows a word, 1 for a value and 0 for NULL; undefined where no row is NULL. */
export function validWords(vector: DuckDBVector, rowCount: number): Uint32Array | undefined {
  const { validity } = vector as unknown as VectorParts;
  if (validity === undefined || validity.offset !== 0) throw unknownLayout(vector);
  const { data } = validity;
  if (data === null) return undefined;
  const words = new Uint32Array(data.buffer, data.byteOffset, Math.ceil(rowCount / 32));
  for (let word = 0; word < words.length; word++) {
    const rows = Math.min(32, rowCount - word * 32);
    const all = 2 ** rows - 1;
    if ((words[word]! & all) >>> 0 !== all) return words;
  }
  return undefined;
}

/** True where `words` says that the row has a value. */
export function isValid(words: Uint32Array | undefined, row: number): boolean {
  return words === undefined || ((words[row >> 5]! >>> (row & 31)) & 1) === 1;
}

function unknownLayout(vector: DuckDBVector): AssayError {
  return new AssayError(Reason.INTERNAL, `a ${vector.type} vector of DuckDB is not laid out as expected`);
}
