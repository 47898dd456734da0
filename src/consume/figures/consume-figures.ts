/** What `assay consume` counts, by partition, and its metrics. */
import { Histogram } from "../../telemetry/histogram.ts";
import type { MetricFamily } from "../../telemetry/metric-text.ts";
import type { Slice } from "../partition-run.ts";

/** Upper bounds in milliseconds of how old a record is when its score is written: from a moment to two days. */
const AGE_BOUNDS_MS: readonly number[] = [
  10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 7_200_000,
  43_200_000, 172_800_000,
];

/** A partition's figures, for as long as it is owned. */
export interface PartitionFigures {
  /** The offset that the group goes on from; undefined: not known yet. */
  committed: bigint | undefined;
  /** The end of what can be read. */
  end: bigint | undefined;
  rows: number;
  deadLetters: number;
  /** Of the last record whose score was written. */
  ageMs: number | undefined;
}

/** Counts of one process; numbers are read when metrics are asked for. */
export class ConsumeFigures {
  readonly partitions = new Map<number, PartitionFigures>();
  readonly deadLetters = new Map<string, number>();
  readonly ages = new Histogram(AGE_BOUNDS_MS);
  readonly rounds = new Histogram();
  rows = 0;
  failedRounds = 0;
  rebalances = 0;
  serverRetries = 0;
  bugs = 0;

  /** A partition is owned. */
  own(partition: number): void {
    this.partitions.set(partition, {
      committed: undefined,
      end: undefined,
      rows: 0,
      deadLetters: 0,
      ageMs: undefined,
    });
  }

  /** A partition is another member's. */
  lose(partition: number): void {
    this.partitions.delete(partition);
  }

  /** A partition is read from `position` on. */
  starts(partition: number, position: bigint): void {
    const figures = this.partitions.get(partition);
    if (figures !== undefined) figures.committed = position;
  }

  /** The broker told a partition's end. */
  ends(partition: number, end: bigint): void {
    const figures = this.partitions.get(partition);
    if (figures !== undefined) figures.end = end;
  }

  /** Slices are written, and their partition's offset is committed. */
  written(partition: number, slices: readonly Slice[], offset: bigint, deadLetterTopic: string): void {
    const figures = this.partitions.get(partition);
    const nowMs = Date.now();
    for (const { messages, records } of slices) {
      this.rows += records.length;
      if (figures !== undefined) figures.rows += records.length;
      for (const { timestamp } of records) this.ages.observe(Math.max(0, nowMs - Number(timestamp)));
      for (const message of messages!) {
        if (message.topic !== deadLetterTopic) continue;
        if (figures !== undefined) figures.deadLetters++;
        const reason = reasonOf(message.headers);
        this.deadLetters.set(reason, (this.deadLetters.get(reason) ?? 0) + 1);
      }
    }
    if (figures === undefined) return;
    figures.committed = offset;
    const last = slices.at(-1)?.records.at(-1);
    if (last !== undefined) figures.ageMs = Math.max(0, nowMs - Number(last.timestamp));
  }

  /** Rows that a partition is behind its end; undefined: not known yet. */
  lag(partition: number): number | undefined {
    const { committed, end } = this.partitions.get(partition) ?? {};
    if (committed === undefined || end === undefined) return undefined;
    return Math.max(0, Number(end - committed));
  }

  /** The metrics. */
  families(): MetricFamily[] {
    const partitions = [...this.partitions.keys()].sort((a, b) => a - b);
    const lags = partitions.flatMap((partition) => {
      const lag = this.lag(partition);
      return lag === undefined ? [] : [[{ partition: String(partition) }, lag] as const];
    });
    const ages = partitions.flatMap((partition) => {
      const { ageMs } = this.partitions.get(partition)!;
      return ageMs === undefined ? [] : [[{ partition: String(partition) }, ageMs / 1000] as const];
    });
    const dead = [...this.deadLetters].map(([reason, count]) => [{ reason }, count] as const);
    const counter = (name: string, help: string, value: number): MetricFamily => ({
      name,
      help,
      type: "counter",
      samples: [[{}, value]],
    });
    return [
      counter(
        "assay_consume_rows_total",
        "Records whose score or dead letter is written and committed.",
        this.rows,
      ),
      {
        name: "assay_consume_dead_letters_total",
        help: "Records without a score, by reason.",
        type: "counter",
        samples: dead,
      },
      {
        name: "assay_consume_lag_rows",
        help: "Records between the group's offset and the partition's end.",
        type: "gauge",
        samples: lags,
      },
      {
        name: "assay_consume_last_age_seconds",
        help: "Age of the last record that was written, by partition.",
        type: "gauge",
        samples: ages,
      },
      {
        name: "assay_consume_age_seconds",
        help: "Age of records when their score is written: now less the record's time.",
        type: "histogram",
        scale: 0.001,
        samples: [[{}, this.ages]],
      },
      {
        name: "assay_consume_commit_seconds",
        help: "Time to write and commit what was scored.",
        type: "histogram",
        scale: 0.001,
        samples: [[{}, this.rounds]],
      },
      {
        name: "assay_consume_partitions",
        help: "Partitions that this process owns.",
        type: "gauge",
        samples: [[{}, partitions.length]],
      },
      counter(
        "assay_consume_rebalances_total",
        "How often the group shared its partitions anew.",
        this.rebalances,
      ),
      counter(
        "assay_consume_failed_commits_total",
        "Writes that failed, after which rows are read again.",
        this.failedRounds,
      ),
      counter(
        "assay_consume_server_retries_total",
        "Requests that were sent again for the server's reasons.",
        this.serverRetries,
      ),
      counter(
        "assay_consume_bugs_total",
        "Errors that nobody expected, after which rows are read again.",
        this.bugs,
      ),
    ];
  }
}

function reasonOf(headers: ReadonlyMap<Buffer, Buffer>): string {
  for (const [name, content] of headers) if (name.equals(REASON)) return content.toString();
  return "";
}

const REASON = Buffer.from("assay-reason");
