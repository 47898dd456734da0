import { counted } from "../wording/counted.ts";

/** How far a run is; rows count from the start of the input, those of an earlier run included. */
export interface Progress {
  readonly rows: number;
  /** Undefined where only reading tells. */
  readonly totalRows: number | undefined;
  readonly errorRows: number;
  /** Rows that this run scored, and for how long it has. */
  readonly rowsHere: number;
  readonly elapsedMs: number;
}

/** One line for a terminal of `width` columns: a bar where the total is known, rows, rows a second, time left. */
export function progressBar(progress: Progress, width: number): string {
  const { rows, totalRows, errorRows } = progress;
  const speed = rowsPerSecond(progress);
  const failed = errorRows > 0 ? `, ${grouped(errorRows)} failed` : "";
  const right = `${counted(rows, "row")}, ${grouped(speed)} rows/s${failed}`;
  if (totalRows === undefined || totalRows === 0) return right.slice(0, width);
  const share = Math.min(1, rows / totalRows);
  const left = `${String(Math.floor(share * 100)).padStart(3)} % `;
  const eta = speed === 0 ? "" : `, ${duration((totalRows - rows) / speed)} left`;
  const room = Math.min(40, width - left.length - right.length - eta.length - 3);
  if (room < 5) return `${left}${right}${eta}`.slice(0, width);
  const filled = Math.round(share * room);
  return `${left}[${"#".repeat(filled)}${"-".repeat(room - filled)}] ${right}${eta}`;
}

/** One JSON line for a log. */
export function progressJson(progress: Progress): string {
  const { rows, totalRows, errorRows, elapsedMs } = progress;
  const speed = rowsPerSecond(progress);
  return JSON.stringify({
    rows,
    ...(totalRows === undefined ? {} : { total_rows: totalRows }),
    error_rows: errorRows,
    rows_per_second: speed,
    elapsed_s: Math.round(elapsedMs / 100) / 10,
    ...(totalRows === undefined || speed === 0 ? {} : { eta_s: Math.round((totalRows - rows) / speed) }),
  });
}

/** Rows that this run scored in a second, over its whole time. */
export function rowsPerSecond({ rowsHere, elapsedMs }: Progress): number {
  return elapsedMs <= 0 ? 0 : Math.round((rowsHere * 1000) / elapsedMs);
}

/** 1234567 as 1,234,567. */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** Seconds as people read them: `42 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

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
