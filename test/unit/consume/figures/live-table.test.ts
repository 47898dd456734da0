import { expect, test } from "vitest";
import { ConsumeFigures } from "../../../../src/consume/figures/consume-figures.ts";
import { LiveTable, liveTable } from "../../../../src/consume/figures/live-table.ts";
import { metricText, PROMETHEUS_TYPE } from "../../../../src/telemetry/metric-text.ts";

function figuresWith(rows: number): ConsumeFigures {
  const figures = new ConsumeFigures();
  figures.own(1);
  figures.own(0);
  figures.starts(0, 10n);
  figures.ends(0, 1250n);
  const headers = new Map([[Buffer.from("assay-reason"), Buffer.from("RUN_FAILED")]]);
  const at = { partition: 0, timestamp: BigInt(Date.now()), key: null, value: null };
  const messages = [{ ...at, topic: "dead", headers }];
  const records = Array.from({ length: rows }, (_, offset) => ({
    offset: BigInt(offset),
    timestamp: BigInt(Date.now() - 90_000),
    key: null,
    value: null,
    headers: [],
  }));
  figures.written(0, [{ records, messages, bytes: 0, nextOffset: 0n, isBegun: true }], 50n, "dead");
  return figures;
}

test("the table has a line a partition with lag, speed, age and dead letters, and the sums", () => {
  const lines = liveTable(figuresWith(2000), new Map([[0, 1000]]), 500);
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ["partition", "lag", "rows", "rows/s", "age", "dead letters"],
    ["0", "1,200", "2,000", "2,000", "2 min", "1"],
    ["1", "?", "0", "0", "0"],
    ["2,000 rows written, 1 dead letter, 0 rebalances, 0 failed commits"],
  ]);
});

test("a table is drawn over the last one, however many lines that had", () => {
  const written: string[] = [];
  const table = new LiveTable({ write: (text) => written.push(text) });
  const figures = new ConsumeFigures();
  figures.own(0);
  table.show(figures);
  figures.lose(0);
  table.show(figures);
  table.show(figures);
  expect(written.map((text) => /^\[(\d)A\[0J/.exec(text.replaceAll("\u001b", ""))?.[1])).toEqual([
    undefined,
    "3",
    "2",
  ]);
});

test("metrics have lag by partition and dead letters by reason; an unknown lag is none", () => {
  const text = metricText(figuresWith(3).families(), PROMETHEUS_TYPE);
  const lines = text.split("\n");
  expect(lines).toContain('assay_consume_lag_rows{partition="0"} 1200');
  expect(text).not.toContain('assay_consume_lag_rows{partition="1"}');
  expect(lines).toContain('assay_consume_dead_letters_total{reason="RUN_FAILED"} 1');
  expect(lines).toContain("assay_consume_rows_total 3");
  expect(lines).toContain('assay_consume_age_seconds_bucket{le="60.0"} 0');
  expect(lines).toContain('assay_consume_age_seconds_bucket{le="300.0"} 3');
});
