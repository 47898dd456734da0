/**
 * How fast callers may send, counted in memory that all edges of a server share: token buckets that hold what a second brings. Promises: a
 * caller's rate is one, whatever edge it comes by; what is held is bounded, whatever comes.
 *
 * A bucket is one number, the time at which it will be full again (GCRA, the leaky bucket as a meter of ITU-T I.371): it changes in one
 * compare-and-swap.
 */
import { createHash } from "node:crypto";
import type { CallerRate } from "../../registry/caller.ts";

/** What one caller may send; undefined: as much as it likes. */
export interface Rates {
  readonly requestsPerSecond: number | undefined;
  readonly rowsPerSecond: number | undefined;
}

/** More than a file of keys has lines. */
const SLOTS = 16_384;
/** A slot is whose it is, and the two buckets. */
const WORDS = 3;
const MOST_STEPS = 64;
const SECOND_NS = 1_000_000_000n;
const NS_PER_MS = 1e6;

/** Makes the memory of a server's rates; its edges share it. */
export function rateMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(SLOTS * WORDS * BigInt64Array.BYTES_PER_ELEMENT);
}

/** The rates of callers by their ids. */
export class RateTable {
  private readonly words: BigInt64Array;

  constructor(memory: SharedArrayBuffer) {
    this.words = new BigInt64Array(memory);
  }

  /** The rate of a caller; undefined where it has none. */
  of(id: string, rates: Rates): CallerRate | undefined {
    const { requestsPerSecond, rowsPerSecond } = rates;
    if (requestsPerSecond === undefined && rowsPerSecond === undefined) return undefined;
    const slot = this.slotOf(id);
    // Where all slots near its own are taken, it is counted by each edge for itself.
    return slot === undefined
      ? new SharedRate(new BigInt64Array(new SharedArrayBuffer(WORDS * 8)), 0, rates)
      : new SharedRate(this.words, slot, rates);
  }

  private slotOf(id: string): number | undefined {
    const digest = createHash("sha256").update(id).digest();
    const mark = digest.readBigInt64LE(0) || 1n;
    const first = digest.readUInt32LE(8);
    for (let step = 0; step < MOST_STEPS; step++) {
      const slot = ((first + step) % SLOTS) * WORDS;
      const owner = Atomics.compareExchange(this.words, slot, 0n, mark);
      if (owner === 0n || owner === mark) return slot;
    }
    return undefined;
  }
}

class SharedRate implements CallerRate {
  private readonly words: BigInt64Array;
  private readonly requestsAt: number;
  private readonly rowsAt: number;
  /** Nanoseconds that one takes; 0: nothing. */
  private readonly perRequest: bigint;
  private readonly perRow: number;

  constructor(words: BigInt64Array, slot: number, { requestsPerSecond, rowsPerSecond }: Rates) {
    this.words = words;
    this.requestsAt = slot + 1;
    this.rowsAt = slot + 2;
    this.perRequest = requestsPerSecond === undefined ? 0n : BigInt(Math.round(1e9 / requestsPerSecond));
    this.perRow = rowsPerSecond === undefined ? 0 : 1e9 / rowsPerSecond;
  }

  takeRequest(): number {
    const { words, requestsAt, perRequest } = this;
    const now = process.hrtime.bigint();
    if (this.perRow > 0) {
      // Rows are counted once they are known, and may be more than what was left.
      const over = Atomics.load(words, this.rowsAt) - now - SECOND_NS;
      if (over >= 0n) return waitMs(over);
    }
    if (perRequest === 0n) return 0;
    const most = perRequest > SECOND_NS ? perRequest : SECOND_NS;
    for (;;) {
      const full = Atomics.load(words, requestsAt);
      const next = later(full, now) + perRequest;
      const over = next - now - most;
      if (over > 0n) return waitMs(over);
      if (Atomics.compareExchange(words, requestsAt, full, next) === full) return 0;
    }
  }

  countRows(rowCount: number): void {
    const { words, rowsAt, perRow } = this;
    if (perRow === 0 || rowCount === 0) return;
    const cost = BigInt(Math.round(rowCount * perRow));
    const now = process.hrtime.bigint();
    for (;;) {
      const full = Atomics.load(words, rowsAt);
      const next = later(full, now) + cost;
      if (Atomics.compareExchange(words, rowsAt, full, next) === full) return;
    }
  }
}

/** `Math.max` takes no bigint. */
function later(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

function waitMs(ns: bigint): number {
  return Math.max(1, Math.ceil(Number(ns) / NS_PER_MS));
}
