import { type Progress, progressBar, progressJson } from "./progress.ts";

/** Where progress is shown: standard error, or a test's stream. */
export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Shows progress while a run goes on. */
export interface ProgressReport {
  /** Called as often as one likes; shows at most what its interval allows. */
  update(progress: Progress): void;
  /** Clears the bar, so that what is written next stands alone. */
  end(): void;
}

const BAR_INTERVAL_MS = 200;
const LINE_INTERVAL_MS = 5000;

/** A bar on a terminal, five times a second; elsewhere, or with `asJson`, one JSON line every five seconds. */
export function createProgressReport(
  output: ProgressOutput,
  asJson: boolean,
  now: () => number = () => performance.now(),
): ProgressReport {
  const bar = output.isTTY === true && !asJson;
  const intervalMs = bar ? BAR_INTERVAL_MS : LINE_INTERVAL_MS;
  let shownAt = bar ? Number.NEGATIVE_INFINITY : now();
  let isShown = false;
  return {
    update(progress) {
      const at = now();
      if (at - shownAt < intervalMs) return;
      shownAt = at;
      if (bar) {
        output.write(`\r\x1b[2K${progressBar(progress, output.columns ?? 80)}`);
        isShown = true;
      } else {
        output.write(`${progressJson(progress)}\n`);
      }
    },
    end() {
      if (isShown) output.write("\r\x1b[2K");
      isShown = false;
    },
  };
}
