import { expect, test } from "vitest";
import { didYouMean, nearestName } from "../../src/nearest-name.ts";

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
