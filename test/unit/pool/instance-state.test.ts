import { describe, expect, test } from "vitest";
import {
  HEALTHY_LIFE_MS,
  type InstanceEvent,
  type InstanceState,
  LONGEST_DELAY_MS,
  longWaitMs,
  nextRestart,
  nextState,
} from "../../../src/pool/instance-state.ts";

describe("nextState", () => {
  const events: readonly InstanceEvent[] = ["start", "ready", "run", "run-ended", "end", "give-up"];
  const table: Readonly<Record<InstanceState, readonly InstanceState[]>> = {
    starting: ["starting", "idle", "starting", "starting", "restarting", "failed"],
    idle: ["idle", "idle", "busy", "idle", "restarting", "failed"],
    busy: ["busy", "busy", "busy", "idle", "restarting", "failed"],
    restarting: ["restarting", "idle", "restarting", "restarting", "restarting", "failed"],
    failed: ["restarting", "failed", "failed", "failed", "failed", "failed"],
  };

  test.each(Object.entries(table))("%s", (state, expected) => {
    expect(events.map((event) => nextState(state as InstanceState, event))).toEqual(expected);
  });
});

test.each([
  [0, 0, 0],
  [1, 0, 100],
  [2, 10, 200],
  [4, 10, 800],
  [40, 10, LONGEST_DELAY_MS],
  [40, HEALTHY_LIFE_MS, 0],
])("after %d early ends and a life of %d ms the next start waits %d ms", (earlyEnds, livedMs, delayMs) => {
  expect(nextRestart({ earlyEnds, livedMs, failedStarts: 0 }).delayMs).toBe(delayMs);
});

test("early ends are counted, a healthy life begins anew", () => {
  expect(nextRestart({ earlyEnds: 3, livedMs: 10, failedStarts: 0 }).earlyEnds).toBe(4);
  expect(nextRestart({ earlyEnds: 3, livedMs: HEALTHY_LIFE_MS, failedStarts: 0 }).earlyEnds).toBe(1);
});

test.each([
  [{ earlyEnds: 0, livedMs: 10, failedStarts: 0 }, "end"],
  [{ earlyEnds: 4, livedMs: 10, failedStarts: 0 }, "end"],
  [{ earlyEnds: 5, livedMs: 10, failedStarts: 0 }, "give-up"],
  [{ earlyEnds: 5, livedMs: HEALTHY_LIFE_MS, failedStarts: 0 }, "end"],
  [{ earlyEnds: 1, livedMs: 0, failedStarts: 2 }, "end"],
  [{ earlyEnds: 2, livedMs: 0, failedStarts: 3 }, "give-up"],
])("after %j callers are kept or refused until the next start: %s", (life, event) => {
  expect(nextRestart(life).event).toBe(event);
});

test("callers of instances that are all down are told when the first of them starts again, unless that is soon", () => {
  expect(longWaitMs([41_000, 12_000], 10_000)).toBe(2_000);
  expect(longWaitMs([9_000, 60_000], 10_000)).toBeUndefined();
  expect(longWaitMs([10_999], 10_000)).toBeUndefined();
});
