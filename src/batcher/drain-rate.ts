/** How fast rows leave the queue, learned from the batches that end; made by `createDrainRate`. */
export interface DrainRate {
  /** `rowCount` rows were answered at `now`, having begun to run at `startedAt`. */
  observe(rowCount: number, startedAt: number, now: number): void;
  /** How long until `rowCount` waiting rows will have gone, in milliseconds, between 10 and 30,000. */
  msUntilGone(rowCount: number): number;
}

/** The weight of the newest batch in the average. */
const NEWEST_WEIGHT = 0.2;
const UNKNOWN_MS = 1_000;
const LEAST_MS = 10;
const MOST_MS = 30_000;

/** Rows a millisecond after one more batch; `elapsedMs` is what it kept the instances busy. */
export function nextRate(rowsPerMs: number | undefined, rowCount: number, elapsedMs: number): number {
  const latest = rowCount / Math.max(elapsedMs, 0.001);
  return rowsPerMs === undefined ? latest : rowsPerMs + (latest - rowsPerMs) * NEWEST_WEIGHT;
}

/** Starts with no batch seen: a delay of one second. */
export function createDrainRate(): DrainRate {
  let rowsPerMs: number | undefined;
  let lastEnd = 0;
  return {
    observe(rowCount, startedAt, now) {
      if (rowCount === 0) return;
      // Instances run side by side: what counts is the time since any of them ended a batch.
      rowsPerMs = nextRate(rowsPerMs, rowCount, now - Math.max(startedAt, lastEnd));
      lastEnd = now;
    },
    msUntilGone(rowCount) {
      if (rowsPerMs === undefined) return UNKNOWN_MS;
      return Math.min(MOST_MS, Math.max(LEAST_MS, Math.ceil(rowCount / rowsPerMs)));
    },
  };
}
