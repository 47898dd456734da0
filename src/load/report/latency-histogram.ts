/** The shortest that is told apart, and the longest; what lies beyond is counted there, and min and max stay exact. */
const FLOOR_MS = 0.001;
const CEILING_MS = 86_400_000;
/** Each bucket is so much wider than the one before: its middle is within half a percent of all that it holds. */
const GROWTH = 1.01;
const LOG_GROWTH = Math.log(GROWTH);
const BUCKETS = Math.ceil(Math.log(CEILING_MS / FLOOR_MS) / LOG_GROWTH) + 1;

/**
 * Latencies in milliseconds, in 20 KiB however many they are: 2,500 buckets from a microsecond to a day, each 1 % wider than
 * the one before. Quantiles are within 0.5 % of the latency at their rank; count, mean, min and max are exact.
 */
export class LatencyHistogram {
  count = 0;
  private readonly buckets = new Float64Array(BUCKETS);
  private sumMs = 0;
  private shortestMs = Number.POSITIVE_INFINITY;
  private longestMs = 0;

  /** Counts one latency; below nothing counts as nothing. */
  record(latencyMs: number): void {
    const ms = Math.max(latencyMs, 0);
    this.count++;
    this.sumMs += ms;
    if (ms < this.shortestMs) this.shortestMs = ms;
    if (ms > this.longestMs) this.longestMs = ms;
    this.buckets[bucketOf(ms)]!++;
  }

  /** All of these are 0 while nothing is counted. */
  get minMs(): number {
    return this.count === 0 ? 0 : this.shortestMs;
  }

  get maxMs(): number {
    return this.longestMs;
  }

  get meanMs(): number {
    return this.count === 0 ? 0 : this.sumMs / this.count;
  }

  /** The latency that `share` of all do not exceed: 0.99 is the 99th percentile. */
  quantileMs(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.count));
    if (rank >= this.count) return this.maxMs;
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.buckets[i]!;
      if (seen < rank) continue;
      const middle = FLOOR_MS * GROWTH ** (i + 0.5);
      return Math.min(Math.max(middle, this.shortestMs), this.longestMs);
    }
    return this.maxMs;
  }
}

function bucketOf(ms: number): number {
  if (ms <= FLOOR_MS) return 0;
  return Math.min(BUCKETS - 1, Math.floor(Math.log(ms / FLOOR_MS) / LOG_GROWTH));
}
