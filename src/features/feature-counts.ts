import { Histogram } from "../telemetry/histogram.ts";

/** Where the columns of a row came from, or why they did not. */
export type RowOutcome =
  | "cache"
  | "store"
  | "missing_key"
  | "missing_column"
  | "too_old"
  | "unfit"
  | "unavailable";

/** Upper bounds of ages in milliseconds: from a cache's to a nightly table's. */
const AGE_BOUNDS_MS: readonly number[] = [
  1, 10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000,
];

/** What a feature source of a version has done since that was first loaded, as `ModelCounters` has it of the model. */
export class FeatureCounts {
  /** Rows that were looked up, each counted once. */
  readonly rows: Record<RowOutcome, number> = {
    cache: 0,
    store: 0,
    missing_key: 0,
    missing_column: 0,
    too_old: 0,
    unfit: 0,
    unavailable: 0,
  };
  /** How old values were when they were used, row by row. */
  readonly ages = new Histogram(AGE_BOUNDS_MS);
  /** Round trips to the store that were answered, and those that were not. */
  readonly trips = new Histogram();
  failedTrips = 0;
  /** Calls that stopped waiting. */
  timeouts = 0;
  /** What the cache holds. */
  cachedRows = 0;
  cachedBytes = 0;
}
