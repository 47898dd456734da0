import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createAlarm } from "../../../src/timing/alarm.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("rings at the earliest of the times it was set to, and then when its ring says", () => {
  const start = performance.now();
  const rings: number[] = [];
  const alarm = createAlarm((now) => {
    rings.push(now - start);
    return rings.length === 1 ? start + 50 : Number.POSITIVE_INFINITY;
  });
  alarm.set(start + 30);
  alarm.set(start + 10);
  alarm.set(start + 20);
  vi.advanceTimersByTime(200);
  expect(rings).toEqual([10, 50]);
  alarm.set(start + 210);
  vi.advanceTimersByTime(50);
  expect(rings).toEqual([10, 50, 210]);
});

test("uses one timer for a thousand times", () => {
  const alarm = createAlarm(() => Number.POSITIVE_INFINITY);
  for (let i = 0; i < 1000; i++) alarm.set(performance.now() + 1000 + i);
  alarm.set(Number.POSITIVE_INFINITY);
  expect(vi.getTimerCount()).toBe(1);
  alarm.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("a time beyond what timers take does not ring at once", () => {
  const ring = vi.fn(() => Number.POSITIVE_INFINITY);
  createAlarm(ring).set(performance.now() + 2 ** 40);
  vi.advanceTimersByTime(1_000_000);
  expect(ring).not.toHaveBeenCalled();
});
