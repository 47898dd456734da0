import { expect, test } from "vitest";
import { exporterSpelling, tableSpellings } from "../../../src/model/column-names.ts";

test.each([
  ["education_num", ["education-num", "education num", "education.num"]],
  ["age", []],
  ["_2nd_floor", ["2nd_floor", "2nd-floor", "2nd floor", "2nd.floor"]],
])("the spellings of %s", (name, spellings) => {
  expect(tableSpellings(name)).toEqual(spellings);
});

test.each([
  ["hours-per week", "hours_per_week"],
  ["2nd floor", "_2nd_floor"],
  ["age", "age"],
])("an exporter calls %s %s", (column, name) => {
  expect(exporterSpelling(column)).toBe(name);
});
