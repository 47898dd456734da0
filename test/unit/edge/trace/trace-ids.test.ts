import { expect, test } from "vitest";
import { SPAN_IDS, traceIdsBelow } from "../../../../src/edge/trace/trace-ids.ts";

const MANY = 1_000;

test("ids of spans are 16 digits, each another, with room for stages in the last one", () => {
  const ids = Array.from({ length: MANY }, () => SPAN_IDS.next());
  expect(new Set(ids).size).toBe(MANY);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{15}0$/);
    expect(id).not.toMatch(/^0{8}/);
  }
});

test.each([1, 0x28f5c28, 2 ** 31, 2 ** 32])(
  "ids of traces are 32 digits, each another, whose words together are below %i",
  (bound) => {
    const ids = traceIdsBelow(bound);
    const made = Array.from({ length: MANY }, () => ids.next());
    expect(new Set(made).size).toBe(MANY);
    const together = made.map((id) => {
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      const words = [0, 8, 16, 24].map((at) => Number.parseInt(id.slice(at, at + 8), 16));
      return words.reduce((all, word) => (all ^ word) >>> 0);
    });
    expect(Math.max(...together)).toBeLessThan(bound);
    // As many of the lower half as of the upper one.
    const low = together.filter((word) => word < bound / 2).length;
    if (bound > 1) expect(Math.abs(low - MANY / 2)).toBeLessThan(MANY / 8);
  },
);
