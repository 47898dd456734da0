/** What became of the calls of the mixed soak. */
import type { Fate, Item } from "./mixed-call.ts";

interface WayCount {
  calls: number;
  rows: number;
  rightRows: number;
  refusedRows: number;
  bad: number;
}

const MOST_EXAMPLES = 20;

/** Counts by way and by reason, and keeps some examples of what should not be. */
export class Tally {
  readonly ways = new Map<string, WayCount>();
  readonly errors = new Map<string, number>();
  readonly examples: string[] = [];
  lostCount = 0;
  doubledCount = 0;
  wrongCount = 0;
  /** Items that were sent again after their process was killed. */
  triedAgain = 0;

  began(way: string, items: Iterable<Item>): void {
    const count = this.of(way);
    count.calls++;
    for (const { rows } of items) count.rows += rows;
  }

  right(way: string, { rows }: Item): void {
    this.of(way).rightRows += rows;
  }

  /** An error that was asked for. */
  expected(way: string, { rows }: Item): void {
    this.of(way).refusedRows += rows;
  }

  error(fate: Fate, reason: string): void {
    const key = `${fate}: ${reason}`;
    this.errors.set(key, (this.errors.get(key) ?? 0) + 1);
  }

  lost(way: string, _item: Item, what: string): void {
    this.lostCount++;
    this.example(`lost, ${way}, ${what}`);
    this.of(way).bad++;
  }

  doubled(way: string, what: string): void {
    this.doubledCount++;
    this.example(`doubled, ${way}, ${what}`);
    this.of(way).bad++;
  }

  wrong(way: string, what: string): void {
    this.wrongCount++;
    this.example(`wrong, ${way}, ${what}`);
    this.of(way).bad++;
  }

  get calls(): number {
    let calls = 0;
    for (const count of this.ways.values()) calls += count.calls;
    return calls;
  }

  /** Whether every way was answered, and nothing lost, doubled or wrong. */
  get held(): boolean {
    const isAnswered = [...this.ways.values()].every(({ rightRows }) => rightRows > 0);
    return isAnswered && this.lostCount + this.doubledCount + this.wrongCount === 0;
  }

  line(): string {
    return `${this.calls} calls, ${this.lostCount} lost, ${this.doubledCount} doubled, ${this.wrongCount} wrong`;
  }

  /** Tables for people and for bench/README.md. */
  report(): string {
    const byWay = [...this.ways].map(
      ([way, { calls, rows, rightRows, refusedRows }]) =>
        `| ${way} | ${calls} | ${rows} | ${rightRows} | ${refusedRows} |`,
    );
    const byReason = [...this.errors].sort().map(([what, count]) => `| ${what} | ${count} |`);
    return [
      "| way | calls | rows sent | answered right | ended with the error that was asked for |",
      "|---|---|---|---|---|",
      ...byWay,
      "",
      "| what was sent: what it ended with | items |",
      "|---|---|",
      ...byReason,
    ].join("\n");
  }

  private of(way: string): WayCount {
    let count = this.ways.get(way);
    if (count === undefined) {
      count = { calls: 0, rows: 0, rightRows: 0, refusedRows: 0, bad: 0 };
      this.ways.set(way, count);
    }
    return count;
  }

  private example(text: string): void {
    if (this.examples.length < MOST_EXAMPLES) this.examples.push(text.slice(0, 300));
  }
}
