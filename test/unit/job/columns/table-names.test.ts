import { VARCHAR } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { missingColumnLines } from "../../../../src/job/columns/table-names.ts";
import { modelMessage, specMessage } from "../../../support/models/model-message.ts";
import { mapped } from "../../../support/tables/row-encoding.ts";

const columns = (...names: string[]) => names.map((name) => ({ name, type: VARCHAR }));
const table = { format: "csv", files: ["a.csv"], elsewhere: new Map(), namesAmongValues: [] };

test("where inputs have no column, the file and its columns are told", () => {
  const model = modelMessage([specMessage("age", "FP32", [-1, 1]), specMessage("sex", "FP32", [-1, 1])]);
  expect(() => mapped(model, columns("a", "b"), { table })).toThrow(
    /input "age" .* has no column in the table\ninput "sex" .*\na\.csv has the columns "a", "b"$/,
  );
});

test.each([
  ["a;b;c", /is one column, whose name has ";": --csv-delimiter/],
  ["12.5", /some of these names are numbers: .*--no-csv-header/],
])("a header such as %s says what may be wrong", (name, message) => {
  expect(missingColumnLines(columns(name), ["age"], table).join("\n")).toMatch(message);
});

test("a header of text alone is suspected where its names are values of their columns too", () => {
  const lines = (...namesAmongValues: string[]) =>
    missingColumnLines(columns("red", "big"), ["age"], { ...table, namesAmongValues }).join("\n");
  expect(lines("red")).toMatch(/"red" is a value of its column too: .*--no-csv-header/);
  expect(lines("red", "big")).toMatch(/"red", "big" are values of their column too/);
  expect(lines()).not.toContain("--no-csv-header");
});

test("a column of another file is found", () => {
  const files = ["d/sex=M/a.parquet", "d/sex=F/b.parquet"];
  const found = { format: "parquet", files, elsewhere: new Map([["age", files[1]!]]), namesAmongValues: [] };
  expect(missingColumnLines(columns("x"), ["age"], found)).toEqual([
    'd/sex=M/a.parquet (the first of 2 files) has the columns "x"',
    'd/sex=F/b.parquet has a column "age", and d/sex=M/a.parquet lacks it',
  ]);
});
