import fc from "fast-check";
import { expect, test } from "vitest";
import { didYouMean, KnownNames, nearestName } from "../../../src/wording/nearest-name.ts";

test.each([
  ["education-num", ["education", "education_num"], "education_num"],
  ["agee", ["age", "wage"], "age"],
  ["AGE", ["age"], "age"],
  ["zzzzzz", ["age", "wage"], undefined],
  ["größe", ["grösse", "größe_m"], "größe_m"],
  ["", ["age"], undefined],
])("%s among %j is nearest to %s", (name, known, nearest) => {
  expect(nearestName(name, known)).toBe(nearest);
});

test("a hint is a question, and silence where nothing is close", () => {
  expect(didYouMean("agee", ["age"])).toBe('; did you mean "age"?');
  expect(didYouMean("zzzzzz", ["age"])).toBe("");
});

test("a spelling that differs in case and signs is nearest, whichever name stands first", () => {
  const names = new KnownNames(["education_nu", "Education-Num"]);
  expect(names.nearest("education_num")).toBe("Education-Num");
});

test("the nearest name is the same as by comparing with each", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "_", "1"), maxLength: 8 });
  fc.assert(
    fc.property(word, fc.uniqueArray(word, { maxLength: 6 }), (name, known) => {
      const together = nearestName(name, known);
      const alone = known.filter((one) => nearestName(name, [one]) !== undefined);
      expect(together === undefined).toBe(alone.length === 0);
      if (together !== undefined) expect(alone).toContain(together);
    }),
  );
});

test("names of 16 KB are near to nothing, and cost nothing", () => {
  const budget = { left: 1_000_000 };
  const names = new KnownNames(["n".repeat(300), "age"]);
  expect(names.nearest("n".repeat(16_384), budget)).toBeUndefined();
  expect(budget.left).toBe(1_000_000);
});

test("what the budget does not pay for is not found, and costs no more", () => {
  const names = new KnownNames(Array.from({ length: 10_000 }, (_, i) => `measured_value_${i}`));
  const budget = { left: 20_000 };
  expect(names.nearest("mesured_value_9999", budget)).toBeUndefined();
  expect(budget.left).toBeGreaterThan(-1_000);
  // Folding goes on where it stopped.
  for (let i = 0; i < 5; i++) names.nearest("mesured_value_9999", { left: 1_500_000 });
  expect(names.nearest("mesured_value_9999", { left: 20_000_000 })).toBe("measured_value_9999");
});
