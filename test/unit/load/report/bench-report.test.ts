import { expect, test } from "vitest";
import { benchReport, type Measured } from "../../../../src/load/report/bench-report.ts";
import { LiveLine } from "../../../../src/load/report/live-line.ts";
import { reportTable } from "../../../../src/load/report/report-table.ts";
import { Tally } from "../../../../src/load/report/tally.ts";

const RUN = {
  server: "http://127.0.0.1:8080",
  model: "iris",
  protocol: "grpc",
  http_version: "2",
  concurrency: 16,
  connections: 1,
  rows_per_call: 4,
  request_bytes: 90,
};
const FULL = { code: "RESOURCE_EXHAUSTED", reason: "QUEUE_FULL", message: "the queue\n\u001b[31mis full" };

function measured(more: Partial<Measured> = {}): Measured {
  const tally = new Tally();
  for (let ms = 1; ms <= 1000; ms++) tally.record(ms, undefined);
  for (let i = 0; i < 250; i++) tally.record(5, FULL);
  tally.record(5, { code: "DEADLINE_EXCEEDED", reason: "", message: "no answer within 5 ms" });
  tally.lateness.record(2);
  const rest = { measuredMs: 2000, wasInterrupted: false, unanswered: 0, late: 0, held: 0, notBegun: 0 };
  return { tally, ...rest, ...more };
}

test("rates are of calls that succeeded, latencies too, and errors stand by reason, the most frequent first", () => {
  const report = benchReport(RUN, measured());
  expect(report).toMatchObject({
    measured_seconds: 2,
    calls: 1251,
    failed: 251,
    rows: 4000,
    calls_per_second: 500,
    rows_per_second: 2000,
    errors: [
      { code: "RESOURCE_EXHAUSTED", reason: "QUEUE_FULL", count: 250 },
      { code: "DEADLINE_EXCEEDED", reason: "", count: 1 },
    ],
  });
  expect(report.error_rate).toBeCloseTo(251 / 1251, 12);
  expect(Object.keys(report.latency_ms)).toEqual(["min", "mean", "p50", "p90", "p95", "p99", "p99_9", "max"]);
  expect(report.latency_ms).toMatchObject({ min: 1, mean: 500.5, max: 1000 });
  expect(report.latency_ms.p99! / 990).toBeCloseTo(1, 1);
  expect(report).not.toHaveProperty("open_loop");
});

test("an open loop also tells what was late, held back and never begun", () => {
  const report = benchReport({ ...RUN, rate_per_second: 700 }, measured({ late: 12, held: 3, notBegun: 1 }));
  expect(report.open_loop).toMatchObject({ late_calls: 12, held_by_concurrency: 3, never_begun: 1 });
  const table = reportTable(report);
  expect(table).toContain(
    "open loop, 700 calls due each second, at most 16 in flight on 1 connection; 4 rows and 90 bytes",
  );
  expect(table).toMatch(/begun late +12 calls more than 10 ms after they were due/);
  expect(table).toMatch(/3 calls had to wait/);
  expect(table).toMatch(/never begun 1 call, though due/);
});

test("the table has the same figures, and messages of a server in one line each", () => {
  const table = reportTable(benchReport(RUN, measured({ unanswered: 2, wasInterrupted: true })));
  expect(table).toMatch(/calls +1,251 calls in 2 s, interrupted/);
  expect(table).toMatch(/rate +500 calls\/s, 2,000 rows\/s/);
  expect(table).toMatch(/failed +251 calls, 20\.1 % of all/);
  expect(table).toMatch(/ 250 RESOURCE_EXHAUSTED QUEUE_FULL: the queue \[31mis full\n/);
  expect(table).toMatch(/unanswered +2 calls/);
  expect(table).toMatch(/min +mean +p50 +p90 +p95 +p99 +p99\.9 +max\n/);
});

test("a run that measured nothing has zeros and no division by them", () => {
  const nothing = {
    tally: new Tally(),
    measuredMs: 0,
    wasInterrupted: true,
    unanswered: 0,
    late: 0,
    held: 0,
    notBegun: 0,
  };
  const report = benchReport({ ...RUN, rate_per_second: 1 }, nothing);
  expect(JSON.stringify(report)).not.toMatch(/null|NaN/);
  expect(report).toMatchObject({ calls: 0, calls_per_second: 0, error_rate: 0 });
  expect(reportTable(report)).toMatch(/failed +none/);
});

test("reasons are bounded, whatever a server makes up", () => {
  const tally = new Tally();
  for (let i = 0; i < 500; i++)
    tally.record(1, { code: "UNKNOWN", reason: `R${i}`, message: `message ${i}` });
  expect(tally.failures).toHaveLength(101);
  expect(tally.failures[0]).toMatchObject({ code: "OTHER", count: 400 });
  expect(tally.failed).toBe(500);
});

test("the live line is for a terminal, no wider than it, and is taken away", () => {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  const { tally } = measured();
  new LiveLine({ write }).show(tally, 500, 1000);
  expect(written).toEqual([]);
  const line = new LiveLine({ isTTY: true, columns: 60, write });
  line.show(tally, -500, 1000);
  line.show(tally, 500, 1000);
  line.clear();
  expect(written[0]).toBe("\r\x1b[2Kwarming up, 0.5 s left");
  expect(written[1]!.slice(0, 16)).toBe("\r\x1b[2K0.5 of 1 s ");
  expect(written[1]!.length).toBeLessThanOrEqual(59 + 5);
  expect(written[2]).toBe("\r\x1b[2K");
});
