import { expect, test } from "vitest";
import { Budgets, DEFENCES, PINGS, RESETS, refilled } from "../../../src/http2/defence.ts";

const RULE = { burst: 100, perSecond: 10, perWork: 0.5, reason: "" };

test.each([
  [0, 0, 0],
  [1_000, 0, 10],
  [0, 30, 15],
  [2_000, 30, 35],
  [60_000, 0, 100],
])("after %i ms and %i pieces of work a spent budget is worth %i", (elapsedMs, work, worth) => {
  expect(refilled(RULE, elapsedMs, work)).toBe(worth);
});

test("a burst is allowed, one more is not, and useful work earns some again", () => {
  const budgets = new Budgets(performance.now());
  const { burst } = DEFENCES[RESETS];
  for (let i = 0; i < burst; i++) expect(budgets.spend(RESETS)).toBe(true);
  // In this moment the clock may have earned a few.
  let more = 0;
  while (budgets.spend(RESETS)) more++;
  expect(more).toBeLessThan(burst / 10);
  budgets.work += 500;
  let earned = 0;
  while (budgets.spend(RESETS)) earned++;
  expect(earned).toBeGreaterThanOrEqual(500);
  expect(budgets.spend(PINGS)).toBe(true);
});

test("every defence says what it is against", () => {
  expect(new Set(DEFENCES.map((defence) => defence.reason)).size).toBe(DEFENCES.length);
});
