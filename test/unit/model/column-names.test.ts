import { expect, test } from "vitest";
import { tableSpellings } from "../../../src/model/column-names.ts";

test.each([
  ["education_num", ["education-num", "education num", "education.num"]],
  ["age", []],
  ["_2nd_floor", ["2nd_floor", "2nd-floor", "2nd floor", "2nd.floor"]],
])("the spellings of %s", (name, spellings) => {
  expect(tableSpellings(name)).toEqual(spellings);
});
