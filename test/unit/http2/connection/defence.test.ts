import { expect, test } from "vitest";
import {
  Budgets,
  CLOSED_STREAM_FRAMES,
  DEFENCES,
  FORCED_RESETS,
  PINGS,
  REFUSED,
  RESETS,
  refilled,
  SETTINGS_FRAMES,
  SMALL_WINDOWS,
} from "../../../../src/http2/connection/defence.ts";

const RULE = { burst: 100, perSecond: 10, perResponse: 0.5, perFrame: 0.25, reason: "" };

test.each([
  [0, 0, 0, 0],
  [1_000, 0, 0, 10],
  [0, 30, 0, 15],
  [0, 0, 40, 10],
  [2_000, 30, 40, 45],
  [60_000, 0, 0, 100],
])(
  "after %i ms, %i responses and %i DATA frames a spent budget is worth %i",
  (ms, responses, frames, worth) => {
    expect(refilled(RULE, ms, responses, frames)).toBe(worth);
  },
);

test("a burst is allowed, one more is not, and completed responses earn some again", () => {
  const budgets = new Budgets(performance.now());
  const { burst } = DEFENCES[RESETS];
  for (let i = 0; i < burst; i++) expect(budgets.spend(RESETS)).toBe(true);
  // In this moment the clock may have earned a few.
  let more = 0;
  while (budgets.spend(RESETS)) more++;
  expect(more).toBeLessThan(burst / 10);
  budgets.framesReceived += 500;
  expect(budgets.spend(RESETS, 500)).toBe(false);
  budgets.responses += 500;
  let earned = 0;
  while (budgets.spend(RESETS)) earned++;
  expect(earned).toBeGreaterThanOrEqual(500);
  expect(budgets.spend(PINGS)).toBe(true);
});

test.each([RESETS, FORCED_RESETS, REFUSED, CLOSED_STREAM_FRAMES, SETTINGS_FRAMES, SMALL_WINDOWS])(
  "DATA frames earn nothing for what undoes work (defence %i)",
  (kind) => expect(DEFENCES[kind]!.perFrame).toBe(0),
);

test("every defence says what it is against", () => {
  expect(new Set(DEFENCES.map((defence) => defence.reason)).size).toBe(DEFENCES.length);
});
