import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createWatchdog, overdueRuns } from "../../../src/pool/watchdog.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("runs over time are found, and the time until the next may be", () => {
  const [late, young, idle] = [{ runStartedAt: 0 }, { runStartedAt: 80 }, { runStartedAt: undefined }];
  expect(overdueRuns([late, young, idle], 100, 100)).toEqual({ overdue: [late], nextInMs: 80 });
  expect(overdueRuns([idle], 100, 100)).toEqual({ overdue: [], nextInMs: undefined });
});

test("one timer watches all runs and is off while nothing runs", () => {
  const watched: { runStartedAt: number | undefined }[] = [
    { runStartedAt: undefined },
    { runStartedAt: undefined },
  ];
  const overdue: unknown[] = [];
  const watchdog = createWatchdog(watched, 100, (one) => {
    overdue.push(one);
    one.runStartedAt = undefined;
  });
  watched[0]!.runStartedAt = performance.now();
  watchdog.watch();
  vi.advanceTimersByTime(60);
  watched[1]!.runStartedAt = performance.now();
  watchdog.watch();
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(40);
  expect(overdue).toEqual([watched[0]]);
  vi.advanceTimersByTime(60);
  expect(overdue).toEqual([watched[0], watched[1]]);
  vi.advanceTimersByTime(1000);
  expect(vi.getTimerCount()).toBe(0);
});

test("a time-out beyond what Node's timers can wait does not ring at once", () => {
  const timers = vi.spyOn(globalThis, "setTimeout");
  const watchdog = createWatchdog([{ runStartedAt: performance.now() }], 2 ** 40, () => {});
  watchdog.watch();
  watchdog.close();
  expect(timers.mock.calls.map(([, waitMs]) => waitMs)).toEqual([1000]);
  timers.mockRestore();
});

test("time in which the process was stopped does not count as a run's", () => {
  const run = { runStartedAt: performance.now() as number | undefined };
  const overdue: unknown[] = [];
  const watchdog = createWatchdog([run], 3000, (one) => overdue.push(one));
  watchdog.watch();
  vi.advanceTimersByTime(1500);
  // As after SIGSTOP: the clock has gone on, and the timer rings late.
  const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 20_000);
  vi.advanceTimersByTime(500);
  expect(overdue).toEqual([]);
  const stoppedUntil = performance.now();
  clock.mockImplementation(() => stoppedUntil + elapsedMs);
  let elapsedMs = 0;
  for (; overdue.length === 0 && elapsedMs < 10_000; elapsedMs += 100) vi.advanceTimersByTime(100);
  // A second had counted before the look that came late.
  expect(elapsedMs).toBeGreaterThanOrEqual(1900);
  expect(elapsedMs).toBeLessThanOrEqual(2200);
  clock.mockRestore();
  watchdog.close();
});
