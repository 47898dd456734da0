import { describe, expect, test } from "vitest";
import { createDrainRate, nextRate } from "../../../src/batcher/drain-rate.ts";

test("the first batch sets the rate, later ones move it by a fifth of the difference", () => {
  expect(nextRate(undefined, 100, 50)).toBe(2);
  expect(nextRate(2, 100, 10)).toBeCloseTo(3.6);
});

describe("createDrainRate", () => {
  test("knows nothing at first and says a second", () => {
    expect(createDrainRate().msUntilGone(5)).toBe(1_000);
  });

  test("tells how long waiting rows will take", () => {
    const rate = createDrainRate();
    rate.observe(100, 0, 50);
    expect(rate.msUntilGone(400)).toBe(200);
  });

  test("counts instances that run side by side together", () => {
    const rate = createDrainRate();
    rate.observe(100, 0, 50);
    rate.observe(100, 0, 100);
    expect(rate.msUntilGone(400)).toBe(200);
  });

  test("stays between 10 ms and 30 s", () => {
    const rate = createDrainRate();
    rate.observe(1, 0, 1_000);
    expect(rate.msUntilGone(8_192)).toBe(30_000);
    expect(rate.msUntilGone(0)).toBe(10);
  });

  test("a batch without rows tells nothing", () => {
    const rate = createDrainRate();
    rate.observe(0, 0, 50);
    expect(rate.msUntilGone(400)).toBe(1_000);
  });
});
