import { expect, test } from "vitest";
import { HEALTHY_LIFE_MS, LONGEST_DELAY_MS, nextRestart } from "../../../src/pool/restart-policy.ts";

test.each([
  [0, 0, 0],
  [1, 0, 100],
  [2, 10, 200],
  [4, 10, 800],
  [40, 10, LONGEST_DELAY_MS],
  [40, HEALTHY_LIFE_MS, 0],
])("after %d early ends and a life of %d ms the next start waits %d ms", (earlyEnds, livedMs, delayMs) => {
  expect(nextRestart({ earlyEnds, livedMs }).delayMs).toBe(delayMs);
});

test("early ends are counted, a healthy life begins anew", () => {
  expect(nextRestart({ earlyEnds: 3, livedMs: 10 }).earlyEnds).toBe(4);
  expect(nextRestart({ earlyEnds: 3, livedMs: HEALTHY_LIFE_MS }).earlyEnds).toBe(1);
});
