import { expect, test } from "vitest";
import { Histogram } from "../../../src/telemetry/histogram.ts";

test("a value counts in the first range that holds it, its upper bound included, and beyond the last bound in a range of its own", () => {
  const histogram = new Histogram([1, 10]);
  for (const value of [0, 1, 1.5, 10, 11]) histogram.observe(value);
  expect(histogram.counts).toEqual([2, 2, 1]);
  expect(histogram).toMatchObject({ count: 5, sum: 23.5 });
});

test("a stage that did not come is not counted", () => {
  const histogram = new Histogram([1]);
  histogram.observe(Number.NaN);
  expect(histogram).toMatchObject({ count: 0, sum: 0 });
});
