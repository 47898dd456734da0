import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Seldom } from "../../../../src/edge/listen/connection-start.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("the first is told at once, a flood then with its count, and nothing while nothing happens", () => {
  const told: number[] = [];
  const seldom = new Seldom((count) => told.push(count));
  for (let i = 0; i < 5000; i++) seldom.happened();
  expect(told).toEqual([1]);
  vi.advanceTimersByTime(10_000);
  expect(told).toEqual([1, 4999]);
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([1, 4999]);
  seldom.happened();
  expect(told).toEqual([1, 4999, 1]);
});
