/** A terminal's table of partitions, drawn anew in its place. Pure but for `show`. */
import { counted } from "../../wording/counted.ts";
import type { ConsumeFigures } from "./consume-figures.ts";

const COLUMNS = ["partition", "lag", "rows", "rows/s", "age", "dead letters"] as const;
const MOST_PARTITIONS = 30;

/** The lines of a table; `earlier` has each partition's rows of `elapsedMs` ago. */
export function liveTable(
  figures: ConsumeFigures,
  earlier: ReadonlyMap<number, number>,
  elapsedMs: number,
): string[] {
  const rows: string[][] = [[...COLUMNS]];
  const partitions = [...figures.partitions].sort(([a], [b]) => a - b);
  for (const [partition, one] of partitions.slice(0, MOST_PARTITIONS)) {
    const before = earlier.get(partition) ?? one.rows;
    const speed = elapsedMs <= 0 ? 0 : Math.max(0, ((one.rows - before) * 1000) / elapsedMs);
    const lag = figures.lag(partition);
    rows.push([
      String(partition),
      lag === undefined ? "?" : grouped(lag),
      grouped(one.rows),
      grouped(Math.round(speed)),
      one.ageMs === undefined ? "" : shownAge(one.ageMs),
      grouped(one.deadLetters),
    ]);
  }
  const widths = COLUMNS.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  const lines = rows.map((row) => row.map((cell, at) => cell.padStart(widths[at]!)).join("  "));
  const more = partitions.length - MOST_PARTITIONS;
  if (more > 0) lines.push(`and ${counted(more, "partition")} more`);
  const dead = [...figures.deadLetters.values()].reduce((sum, count) => sum + count, 0);
  lines.push(
    `${grouped(figures.rows)} rows written, ${counted(dead, "dead letter")}, ${counted(figures.rebalances, "rebalance")}, ${counted(figures.failedRounds, "failed commit")}`,
  );
  return lines;
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** `12 ms`, `3.4 s`, `5 min`, `7 h`. */
function shownAge(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

/** Draws lines over the ones that were drawn last. */
export class LiveTable {
  private readonly output: { write(text: string): unknown };
  private lines = 0;
  private earlier = new Map<number, number>();
  private shownMs = performance.now();

  constructor(output: { write(text: string): unknown }) {
    this.output = output;
  }

  /** Draws the table as it is now. */
  show(figures: ConsumeFigures): void {
    const nowMs = performance.now();
    const lines = liveTable(figures, this.earlier, nowMs - this.shownMs);
    this.earlier = new Map([...figures.partitions].map(([partition, { rows }]) => [partition, rows]));
    this.shownMs = nowMs;
    this.output.write(`${this.back()}${lines.join("\n")}\n`);
    this.lines = lines.length;
  }

  /** Takes the table away, so that a line can be written in its place. */
  clear(): void {
    this.output.write(this.back());
    this.lines = 0;
  }

  private back(): string {
    return this.lines === 0 ? "" : `\u001b[${this.lines}A\u001b[0J`;
  }
}
