import { DuckDBTypeId, type DuckDBVector } from "@duckdb/node-api";
import { flushRowBytes, rowBytes, validityBits } from "./vector-memory.ts";

/** Neighbouring rows that are taken over. */
export interface RowRun {
  readonly from: number;
  readonly count: number;
}

/** The rows of a chunk that are left when those with an error are taken out. */
export function keptRuns(rowCount: number, errors: ReadonlyMap<number, string>): RowRun[] {
  const runs: RowRun[] = [];
  let from = 0;
  for (const row of [...errors.keys()].sort((a, b) => a - b)) {
    if (row > from) runs.push({ from, count: row - from });
    from = row + 1;
  }
  if (from < rowCount) runs.push({ from, count: rowCount - from });
  return runs;
}

/** Bits of `count` rows, whole 64-bit words: 0 for those named, 1 for the others. */
export function clearedBits(count: number, rows: Iterable<number>): Uint8Array {
  const bits = new Uint8Array(Math.ceil(count / 64) * 8).fill(0xff);
  for (const row of rows) bits[row >> 3]! &= ~(1 << (row & 7));
  return bits;
}

/**
 * Copies the runs of `source` to the front of `to`, a vector of `count` rows of the same type. Texts are not copied:
 * `to` points at them, so the source must live until the chunk of `to` has been appended.
 */
export function copyKept(
  source: DuckDBVector,
  to: DuckDBVector,
  runs: readonly RowRun[],
  count: number,
): void {
  const bytes = rowBytes(source);
  const target = rowBytes(to);
  if (
    bytes === undefined ||
    target === undefined ||
    bytes.byteLength / source.itemCount !== target.byteLength / count
  ) {
    copyItems(source, to, runs);
    return;
  }
  const width = target.byteLength / count;
  let row = 0;
  for (const run of runs) {
    target.set(bytes.subarray(run.from * width, (run.from + run.count) * width), row * width);
    row += run.count;
  }
  flushRowBytes(to, copiedBits(validityBits(source), runs, count));
}

/** Bytes that the texts or blobs of a vector have beside their headers. */
export function textBytes(vector: DuckDBVector): number {
  const { typeId } = vector.type;
  if (typeId !== DuckDBTypeId.VARCHAR && typeId !== DuckDBTypeId.BLOB) return 0;
  const headers = rowBytes(vector)!;
  const words = new Uint32Array(headers.buffer, headers.byteOffset, headers.byteLength / 4);
  const validity = validityBits(vector);
  let sum = 0;
  for (let row = 0; row < vector.itemCount; row++) {
    if (validity === undefined || (validity[row >> 3]! >> (row & 7)) & 1) sum += words[row * 4]!;
  }
  return sum;
}

function copiedBits(
  bits: Uint8Array | undefined,
  runs: readonly RowRun[],
  count: number,
): Uint8Array | undefined {
  if (bits === undefined) return undefined;
  if (runs.length === 1 && runs[0]!.from === 0) return bits.slice(0, Math.ceil(count / 64) * 8);
  const copied = new Uint8Array(Math.ceil(count / 64) * 8);
  let row = 0;
  for (const { from, count } of runs) {
    for (let source = from; source < from + count; source++, row++) {
      if ((bits[source >> 3]! >> (source & 7)) & 1) copied[row >> 3]! |= 1 << (row & 7);
    }
  }
  return copied;
}

function copyItems(source: DuckDBVector, to: DuckDBVector, runs: readonly RowRun[]): void {
  let row = 0;
  for (const { from, count } of runs) {
    for (let item = from; item < from + count; item++) to.setItem(row++, source.getItem(item) as never);
  }
  to.flush();
}
