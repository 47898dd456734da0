import type { LatencyHistogram } from "./latency-histogram.ts";
import type { FailureCount, Tally } from "./tally.ts";

/** What a run was asked to do, for whoever reads its report later. */
export interface ReportedRun {
  readonly server: string;
  readonly model: string;
  readonly protocol: string;
  readonly http_version: string;
  readonly concurrency: number;
  readonly connections: number;
  /** Calls that were due in a second; absent: a closed loop. */
  readonly rate_per_second?: number;
  readonly rows_per_call: number;
  readonly request_bytes: number;
}

/** What was measured. */
export interface Measured {
  readonly tally: Tally;
  readonly measuredMs: number;
  readonly wasInterrupted: boolean;
  readonly unanswered: number;
  /** These three tell of an open loop. */
  readonly late: number;
  readonly held: number;
  readonly notBegun: number;
}

const PERCENTILES = [
  ["p50", 0.5],
  ["p90", 0.9],
  ["p95", 0.95],
  ["p99", 0.99],
  ["p99_9", 0.999],
] as const;

/** The report of `--json`; times in milliseconds. Keys once given keep their meaning. */
export interface BenchReport {
  readonly run: ReportedRun;
  readonly measured_seconds: number;
  readonly interrupted: boolean;
  /** Of calls that ended; those that failed are among them. */
  readonly calls: number;
  readonly failed: number;
  /** Calls in flight when the run was broken off. */
  readonly unanswered: number;
  /** Of calls that succeeded. */
  readonly rows: number;
  readonly calls_per_second: number;
  readonly rows_per_second: number;
  readonly error_rate: number;
  readonly errors: readonly FailureCount[];
  /** Of calls that succeeded. */
  readonly latency_ms: Readonly<Record<string, number>>;
  readonly open_loop?: {
    readonly late_calls: number;
    readonly held_by_concurrency: number;
    readonly never_begun: number;
    readonly lateness_ms: Readonly<Record<string, number>>;
  };
}

/** Puts a report together. */
export function benchReport(run: ReportedRun, measured: Measured): BenchReport {
  const { tally, measuredMs } = measured;
  const succeeded = tally.latency.count;
  const calls = succeeded + tally.failed;
  const perSecond = (count: number) => (measuredMs === 0 ? 0 : rounded((count * 1000) / measuredMs));
  const report: BenchReport = {
    run,
    measured_seconds: rounded(measuredMs / 1000),
    interrupted: measured.wasInterrupted,
    calls,
    failed: tally.failed,
    unanswered: measured.unanswered,
    rows: succeeded * run.rows_per_call,
    calls_per_second: perSecond(succeeded),
    rows_per_second: perSecond(succeeded * run.rows_per_call),
    error_rate: calls === 0 ? 0 : tally.failed / calls,
    errors: tally.failures,
    latency_ms: quantiles(tally.latency),
  };
  if (run.rate_per_second === undefined) return report;
  return {
    ...report,
    open_loop: {
      late_calls: measured.late,
      held_by_concurrency: measured.held,
      never_begun: measured.notBegun,
      lateness_ms: quantiles(tally.lateness),
    },
  };
}

/** Three digits behind the point, or more where they are all that there is. */
function rounded(value: number): number {
  return value < 1 ? Number(value.toPrecision(3)) : Math.round(value * 1000) / 1000;
}

function quantiles(histogram: LatencyHistogram): Record<string, number> {
  const found: Record<string, number> = { min: histogram.minMs, mean: histogram.meanMs };
  for (const [name, share] of PERCENTILES) found[name] = histogram.quantileMs(share);
  found.max = histogram.maxMs;
  return Object.fromEntries(Object.entries(found).map(([name, ms]) => [name, rounded(ms)]));
}
