/** Upper bounds in milliseconds, from what a small model takes to what nobody waits for. */
const DURATION_BOUNDS_MS: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
];
/** Upper bounds of rows in a run. */
export const ROW_BOUNDS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096, 16_384];

/** One of the values that a range counts, and the span in which it was: a way from a metric to a trace. */
export interface Exemplar {
  readonly value: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
}

/**
 * Counts values by ranges in plain numbers, to be read when metrics are asked for: what it costs a call is a search among few bounds
 * and three additions.
 */
export class Histogram {
  readonly bounds: readonly number[];
  /** How many values lie in each range, the last one without a bound; not added up. */
  readonly counts: number[];
  sum = 0;
  count = 0;
  /** The last of each range, where values came in recorded traces. */
  exemplars: (Exemplar | undefined)[] | undefined = undefined;

  constructor(bounds: readonly number[] = DURATION_BOUNDS_MS) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Counts a value `times` times; one that is no number (a stage that did not come) is none. */
  observe(value: number, times = 1): void {
    if (Number.isNaN(value)) return;
    const { counts } = this;
    const at = this.rangeOf(value);
    counts[at] = counts[at]! + times;
    this.sum += value * times;
    this.count += times;
  }
  /** Keeps a value that was counted as its range's example. */
  exemplify(value: number, traceId: string, spanId: string): void {
    this.exemplars ??= new Array<Exemplar | undefined>(this.counts.length).fill(undefined);
    this.exemplars[this.rangeOf(value)] = { value, traceId, spanId, timeMs: Date.now() };
  }

  private rangeOf(value: number): number {
    const { bounds } = this;
    let at = 0;
    while (at < bounds.length && value > bounds[at]!) at++;
    return at;
  }
}
