import type { StoredCell } from "../model/features/stored-value.ts";

/** A key's values as they were fetched, read once for the model's columns; undefined: the store has nothing under the key. */
export interface FetchedRow {
  readonly cells: readonly StoredCell[] | undefined;
  /** When it was asked for, on `performance.now()`'s clock: it is as old as that at least. */
  readonly fetchedAt: number;
  /** When the store says that it was written, on the same clock; NaN where it says nothing. */
  readonly writtenAt: number;
}

/** What bounds a cache. */
export interface CacheLimits {
  readonly cacheMs: number;
  readonly cacheRows: number;
  readonly cacheBytes: number;
}

/** A key that the store does not have is asked for again after this time at most: new customers are not to wait. */
const LONGEST_MISSING_MS = 1_000;
const ROW_BYTES = 160;
const CELL_BYTES = 16;

interface Kept extends FetchedRow {
  readonly bytes: number;
}

/** Rows that were fetched, by key; the oldest leave first. */
export class RowCache {
  private readonly rows = new Map<string, Kept>();
  private readonly limits: CacheLimits;
  private bytes = 0;

  constructor(limits: CacheLimits) {
    this.limits = limits;
  }

  get rowCount(): number {
    return this.rows.size;
  }

  get byteCount(): number {
    return this.bytes;
  }

  /** A row that is young enough to be used again at `now`. */
  get(key: string, now: number): FetchedRow | undefined {
    const kept = this.rows.get(key);
    if (kept === undefined) return undefined;
    const { cacheMs } = this.limits;
    const longest = kept.cells === undefined ? Math.min(cacheMs, LONGEST_MISSING_MS) : cacheMs;
    if (now - kept.fetchedAt < longest) return kept;
    this.remove(key, kept);
    return undefined;
  }

  put(key: string, row: FetchedRow): void {
    const { cacheMs, cacheRows, cacheBytes } = this.limits;
    if (cacheMs === 0 || cacheRows === 0) return;
    const before = this.rows.get(key);
    if (before !== undefined) {
      // Two trips may end in another order than they began.
      if (before.fetchedAt > row.fetchedAt) return;
      this.remove(key, before);
    }
    const bytes = bytesOf(key, row);
    if (bytes > cacheBytes) return;
    this.rows.set(key, { ...row, bytes });
    this.bytes += bytes;
    for (const [oldest, kept] of this.rows) {
      if (this.rows.size <= cacheRows && this.bytes <= cacheBytes) break;
      this.remove(oldest, kept);
    }
  }

  clear(): void {
    this.rows.clear();
    this.bytes = 0;
  }

  private remove(key: string, { bytes }: Kept): void {
    this.rows.delete(key);
    this.bytes -= bytes;
  }
}

function bytesOf(key: string, { cells }: FetchedRow): number {
  let bytes = ROW_BYTES + 2 * key.length;
  if (cells === undefined) return bytes;
  for (const cell of cells) bytes += CELL_BYTES + (typeof cell === "string" ? 2 * cell.length : 0);
  return bytes;
}
