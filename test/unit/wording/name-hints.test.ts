import { afterEach, expect, test, vi } from "vitest";
import { NameHints } from "../../../src/wording/name-hints.ts";

afterEach(() => {
  vi.useRealTimers();
});

test("what was asked once costs nothing again", () => {
  const hints = new NameHints(["age", "job"]);
  expect(hints.didYouMean("agee")).toBe('; did you mean "age"?');
  expect(hints.didYouMean("agee")).toBe('; did you mean "age"?');
  expect(hints.didYouMean("nothing like it")).toBe("");
});

test("so many names that they would hold the event loop get no hint, until time has passed", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  vi.advanceTimersByTime(10_000);
  const columns = Array.from({ length: 2000 }, (_, i) => `measured_value_${i}`);
  const hints = new NameHints(columns);
  const hinted = (from: number) => {
    let count = 0;
    for (let i = 0; i < 500; i++) if (hints.didYouMean(`mesured_valeu_${from + i}`) !== "") count++;
    return count;
  };
  const first = hinted(0);
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(500);
  expect(hinted(500)).toBe(0);
  vi.advanceTimersByTime(1000);
  expect(hinted(1000)).toBeGreaterThan(0);
});
