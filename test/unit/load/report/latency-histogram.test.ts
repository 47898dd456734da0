import fc from "fast-check";
import { expect, test } from "vitest";
import { LatencyHistogram } from "../../../../src/load/report/latency-histogram.ts";

const SHARES = [0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1];

test("a quantile is within 1 % of the latency at its rank, from a microsecond to hours", () => {
  const latency = fc.double({ min: -3, max: 7, noNaN: true }).map((exponent) => 10 ** exponent);
  fc.assert(
    fc.property(fc.array(latency, { minLength: 1, maxLength: 400 }), (latencies) => {
      const histogram = new LatencyHistogram();
      for (const ms of latencies) histogram.record(ms);
      const sorted = [...latencies].sort((a, b) => a - b);
      for (const share of SHARES) {
        const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!;
        expect(Math.abs(histogram.quantileMs(share) / exact - 1)).toBeLessThanOrEqual(0.01);
      }
    }),
    { numRuns: 300 },
  );
});

test("count, mean, min and max are exact", () => {
  const histogram = new LatencyHistogram();
  for (const ms of [0.25, 4, 1.5]) histogram.record(ms);
  expect(histogram).toMatchObject({ count: 3, minMs: 0.25, maxMs: 4 });
  expect(histogram.meanMs).toBeCloseTo(23 / 12, 12);
});

test("nothing, what is no time at all and what takes longer than a day are counted too", () => {
  const histogram = new LatencyHistogram();
  expect([histogram.minMs, histogram.meanMs, histogram.quantileMs(0.99), histogram.maxMs]).toEqual([
    0, 0, 0, 0,
  ]);
  for (const ms of [-1, 0, 1e9]) histogram.record(ms);
  expect(histogram).toMatchObject({ count: 3, minMs: 0, maxMs: 1e9 });
  expect(histogram.quantileMs(0.5)).toBeLessThanOrEqual(0.0011);
  expect(histogram.quantileMs(0.99)).toBe(1e9);
});
