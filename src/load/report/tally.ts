import type { Failure } from "../failure.ts";
import { LatencyHistogram } from "./latency-histogram.ts";

/** Calls that failed for one reason. */
export interface FailureCount {
  readonly code: string;
  readonly reason: string;
  /** What the first of them said. */
  readonly message: string;
  count: number;
}

/** A server that makes up reasons must not grow the tally. */
const MOST_REASONS = 100;

/** What became of the calls that are measured. */
export class Tally {
  /** Of calls that succeeded, from when they were due. */
  readonly latency = new LatencyHistogram();
  /** How long after they were due all calls began; without a rate all begin when they are due. */
  readonly lateness = new LatencyHistogram();
  failed = 0;
  private readonly byReason = new Map<string, FailureCount>();

  /** A call that ended. */
  record(latencyMs: number, failure: Failure | undefined): void {
    if (failure === undefined) {
      this.latency.record(latencyMs);
      return;
    }
    this.failed++;
    let { code, reason, message } = failure;
    let known = this.byReason.get(`${code} ${reason}`);
    if (known === undefined && this.byReason.size >= MOST_REASONS) {
      code = "OTHER";
      reason = "";
      message = `more than ${MOST_REASONS} reasons came; the last: ${failure.message}`;
      known = this.byReason.get("OTHER ");
    }
    if (known === undefined) this.byReason.set(`${code} ${reason}`, { code, reason, message, count: 1 });
    else known.count++;
  }

  /** The most frequent first. */
  get failures(): FailureCount[] {
    return [...this.byReason.values()].sort((a, b) => b.count - a.count);
  }
}
