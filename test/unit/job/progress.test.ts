import { expect, test } from "vitest";
import {
  createProgressReport,
  duration,
  type Progress,
  progressBar,
  progressJson,
} from "../../../src/job/progress.ts";

const half: Progress = {
  rows: 500_000,
  totalRows: 1_000_000,
  errorRows: 0,
  rowsHere: 400_000,
  elapsedMs: 2000,
};

test("the bar shows share, rows, rows a second of this run and the time left", () => {
  expect(progressBar(half, 100)).toBe(
    ` 50 % [${"#".repeat(20)}${"-".repeat(20)}] 500,000 rows, 200,000 rows/s, 3 s left`,
  );
});

test("the bar never is wider than the terminal", () => {
  for (let width = 1; width < 120; width++)
    expect(progressBar(half, width).length).toBeLessThanOrEqual(width);
});

test("without a total there is no bar, and failed rows are counted", () => {
  expect(progressBar({ ...half, totalRows: undefined, errorRows: 3 }, 80)).toBe(
    "500,000 rows, 200,000 rows/s, 3 failed",
  );
});

test("the JSON line has the figures under their units", () => {
  expect(JSON.parse(progressJson(half))).toEqual({
    rows: 500_000,
    total_rows: 1_000_000,
    error_rows: 0,
    rows_per_second: 200_000,
    elapsed_s: 2,
    eta_s: 3,
  });
});

test("durations read as people say them", () => {
  expect([5, 65, 7500].map(duration)).toEqual(["5 s", "1 min 5 s", "2 h 5 min"]);
});

test("a terminal gets a bar that is cleared, a log gets a line every five seconds", () => {
  let at = 0;
  const terminal: string[] = [];
  const bar = createProgressReport(
    { isTTY: true, columns: 60, write: (text) => terminal.push(text) },
    false,
    () => at,
  );
  bar.update(half);
  at = 100;
  bar.update(half);
  bar.end();
  expect(terminal).toHaveLength(2);
  expect(terminal[1]).toBe("\r\x1b[2K");
  const lines: string[] = [];
  const log = createProgressReport({ write: (text) => lines.push(text) }, false, () => at);
  log.update(half);
  at = 5200;
  log.update(half);
  log.end();
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ rows: 500_000 });
});
