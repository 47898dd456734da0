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
  expect(timers.mock.calls.map(([, waitMs]) => waitMs)).toEqual([2 ** 31 - 1]);
  timers.mockRestore();
});
