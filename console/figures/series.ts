/** Lines of charts of the figures that come. Pure: counts go in, rates come out. */
import type { ModelFigures, WatchFiguresResponse } from "../../gen/assay/v1/console_service_pb.ts";

/** How many moments are kept. */
export const MOST_POINTS = 300;

/** What all versions, or those of one model, did from one message to the next. */
export interface Sample {
  /** Seconds since 1970. */
  readonly at: number;
  readonly answeredRate: number;
  readonly failedRate: number;
  readonly rowRate: number;
  readonly batchRows: number;
  readonly endRates: Readonly<Record<string, number>>;
  readonly queuedRows: number;
  readonly runningRows: number;
  readonly queueLimitRows: number;
  /** Milliseconds a request, by stage. */
  readonly stageMs: Readonly<Record<Stage, number>>;
  readonly medianMs: number;
  readonly highMs: number;
  readonly failureRates: Readonly<Record<string, number>>;
}

export type Stage = "input" | "queue" | "run" | "output";
export const STAGES: readonly Stage[] = ["input", "queue", "run", "output"];

/** Counts of some versions together. */
interface Totals {
  answered: number;
  rows: number;
  runs: number;
  batchRowSum: number;
  queuedRows: number;
  runningRows: number;
  queueLimitRows: number;
  stages: Record<Stage, number>;
  durations: number[];
  ends: Record<string, number>;
  failures: Record<string, number>;
}

/** The figures of a server as they go on: those of all models, and of each by its name. */
export class FigureSeries {
  private readonly latest = new Map<string, ModelFigures>();
  private readonly last = new Map<string, Totals>();
  private readonly samples = new Map<string, Sample[]>();
  private lastAt: number | undefined = undefined;

  /** Takes a message; what it leaves out is as it was. */
  take(message: WatchFiguresResponse): void {
    for (const model of message.models) this.latest.set(`${model.modelName}\n${model.modelVersion}`, model);
    const at = Number(message.takenAt?.seconds ?? 0n) + (message.takenAt?.nanos ?? 0) / 1e9;
    const seconds = this.lastAt === undefined ? 0 : at - this.lastAt;
    if (this.lastAt !== undefined && seconds <= 0) return;
    this.lastAt = at;
    const all = [...this.latest.values()];
    const calls = callFailures(message);
    this.add("", all, at, seconds, message.durationBounds, calls);
    for (const [name, versions] of Map.groupBy(all, ({ modelName }) => modelName))
      this.add(name, versions, at, seconds, message.durationBounds);
  }

  /** The last minutes of a model, or of all where the name is empty; oldest first. */
  of(modelName: string): readonly Sample[] {
    return this.samples.get(modelName) ?? [];
  }

  private add(
    name: string,
    versions: readonly ModelFigures[],
    at: number,
    seconds: number,
    bounds: readonly number[],
    failures?: Record<string, number>,
  ): void {
    const now = totalsOf(versions);
    if (failures !== undefined) now.failures = failures;
    const before = this.last.get(name);
    this.last.set(name, now);
    if (before === undefined || seconds <= 0) return;
    const list = this.samples.get(name) ?? [];
    list.push(sampleOf(before, now, at, seconds, bounds));
    if (list.length > MOST_POINTS) list.shift();
    this.samples.set(name, list);
  }
}

/** Failures of all calls: those that are malformed never reach a model. */
function callFailures({ protocols }: WatchFiguresResponse): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { failures } of protocols)
    for (const [reason, count] of Object.entries(failures)) sum[reason] = (sum[reason] ?? 0) + Number(count);
  return sum;
}

function totalsOf(versions: readonly ModelFigures[]): Totals {
  const totals: Totals = {
    answered: 0,
    rows: 0,
    runs: 0,
    batchRowSum: 0,
    queuedRows: 0,
    runningRows: 0,
    queueLimitRows: 0,
    stages: { input: 0, queue: 0, run: 0, output: 0 },
    durations: [],
    ends: {},
    failures: {},
  };
  for (const one of versions) {
    totals.answered += Number(one.answered);
    totals.rows += Number(one.rows);
    totals.runs += Number(one.runs);
    totals.batchRowSum += one.batchRows?.sum ?? 0;
    totals.queuedRows += Number(one.queuedRows);
    totals.runningRows += Number(one.runningRows);
    totals.queueLimitRows += Number(one.queueLimitRows);
    for (const stage of STAGES) totals.stages[stage] += one.stages?.[stage] ?? 0;
    for (const [index, count] of (one.durations?.counts ?? []).entries())
      totals.durations[index] = (totals.durations[index] ?? 0) + Number(count);
    addAll(totals.ends, one.batchEnds);
    addAll(totals.failures, one.failures);
  }
  return totals;
}

function addAll(sums: Record<string, number>, counts: Readonly<Record<string, bigint>>): void {
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + Number(count);
}

function sampleOf(
  before: Totals,
  now: Totals,
  at: number,
  seconds: number,
  bounds: readonly number[],
): Sample {
  const answered = Math.max(0, now.answered - before.answered);
  const runs = Math.max(0, now.runs - before.runs);
  const rates = (one: Record<string, number>, other: Record<string, number>) =>
    Object.fromEntries(
      Object.keys(one).map((name) => [name, Math.max(0, one[name]! - (other[name] ?? 0)) / seconds]),
    );
  const failureRates = rates(now.failures, before.failures);
  const counts = now.durations.map((count, index) => Math.max(0, count - (before.durations[index] ?? 0)));
  const stageMs = (stage: Stage) =>
    answered === 0 ? Number.NaN : (Math.max(0, now.stages[stage] - before.stages[stage]) / answered) * 1000;
  return {
    at,
    answeredRate: answered / seconds,
    failedRate: Object.values(failureRates).reduce((sum, rate) => sum + rate, 0),
    rowRate: Math.max(0, now.rows - before.rows) / seconds,
    batchRows: runs === 0 ? Number.NaN : Math.max(0, now.batchRowSum - before.batchRowSum) / runs,
    endRates: rates(now.ends, before.ends),
    queuedRows: now.queuedRows,
    runningRows: now.runningRows,
    queueLimitRows: now.queueLimitRows,
    stageMs: {
      input: stageMs("input"),
      queue: stageMs("queue"),
      run: stageMs("run"),
      output: stageMs("output"),
    },
    medianMs: quantile(counts, bounds, 0.5) * 1000,
    highMs: quantile(counts, bounds, 0.99) * 1000,
    failureRates,
  };
}

/** What is drawn at least, from left to right. */
const SHORTEST_SECONDS = 60;

/** The seconds that a chart reaches over, which ends with its last moment; with now where there is none. */
export function drawnSeconds(times: ArrayLike<number>, nowSeconds: number): [from: number, to: number] {
  const to = times[times.length - 1] ?? nowSeconds;
  return [Math.min(times[0] ?? to, to - SHORTEST_SECONDS), to];
}

/** Where a share of the values lies below, taken as even within a range; NaN where there are none. */
export function quantile(counts: readonly number[], bounds: readonly number[], share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return Number.NaN;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && below + count >= share * total) {
      const low = index === 0 ? 0 : bounds[index - 1]!;
      const high = bounds[index] ?? low;
      return low + ((share * total - below) / count) * (high - low);
    }
    below += count;
  }
  return bounds.at(-1) ?? Number.NaN;
}
