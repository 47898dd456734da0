import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CallDeadlines, type TimedCall } from "../../../../src/edge/call/call-deadlines.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function call(inMs: number, due: number[]): TimedCall {
  return {
    deadlineAt: performance.now() + inMs,
    wheelTick: 0,
    wheelBefore: undefined,
    wheelAfter: undefined,
    onDue() {
      due.push(inMs);
    },
  };
}

test("each call is told at its own deadline, in whatever order they came, and those that were removed are not", () => {
  const deadlines = new CallDeadlines();
  const due: number[] = [];
  for (const inMs of [5000, 100, 250, 86_400_000, 101]) deadlines.add(call(inMs, due));
  const gone = call(99, due);
  deadlines.add(gone);
  deadlines.remove(gone);
  vi.advanceTimersByTime(99);
  expect(due).toEqual([]);
  vi.advanceTimersByTime(2);
  expect(due).toEqual([100, 101]);
  vi.advanceTimersByTime(5000);
  expect(due).toEqual([100, 101, 250, 5000]);
  vi.advanceTimersByTime(86_400_000);
  expect(due).toHaveLength(5);
});

test("thousands that end at the same time are told, not all in one turn", () => {
  const deadlines = new CallDeadlines();
  const due: number[] = [];
  for (let i = 0; i < 2000; i++) deadlines.add(call(10, due));
  vi.advanceTimersByTime(11);
  expect(due.length).toBeLessThan(2000);
  vi.advanceTimersByTime(20);
  expect(due).toHaveLength(2000);
});
