import { grouped, milliseconds } from "./report-table.ts";
import type { Tally } from "./tally.ts";

/** Standard error, or a test's stream. */
export interface LineTerminal {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const CLEAR = "\r\x1b[2K";

/** One line that changes while a run goes on, for a terminal alone; elsewhere nothing is shown. */
export class LiveLine {
  private readonly terminal: LineTerminal;
  private shownCalls = 0;
  private shownAtMs = 0;

  constructor(terminal: LineTerminal) {
    this.terminal = terminal;
  }

  /** Shows where the run is; negative times are the warm-up's. */
  show(tally: Tally, elapsedMs: number, wholeMs: number): void {
    if (this.terminal.isTTY !== true) return;
    const { latency, failed } = tally;
    const since = elapsedMs - this.shownAtMs;
    const perSecond = since <= 0 ? 0 : ((latency.count - this.shownCalls) * 1000) / since;
    this.shownCalls = latency.count;
    this.shownAtMs = Math.max(0, elapsedMs);
    const text =
      elapsedMs < 0
        ? `warming up, ${(-elapsedMs / 1000).toFixed(1)} s left`
        : `${(elapsedMs / 1000).toFixed(1)} of ${Number((wholeMs / 1000).toFixed(1))} s  ${grouped(Math.round(perSecond))} calls/s  ` +
          `p50 ${milliseconds(latency.quantileMs(0.5))}  p99 ${milliseconds(latency.quantileMs(0.99))} ms  ${grouped(failed)} failed`;
    this.terminal.write(CLEAR + text.slice(0, Math.max(20, (this.terminal.columns || 80) - 1)));
  }

  /** Takes it away, so that what is written next stands alone. */
  clear(): void {
    if (this.terminal.isTTY === true) this.terminal.write(CLEAR);
  }
}
