import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  readFormat,
  TABLE_FORMATS,
  writtenEndings,
  writtenFormat,
} from "../../../src/table/format-endings.ts";

const page = readFileSync("docs/scoring-files.md", "utf8");

/** The endings in the row of a format, of the table whose last column is headed so. */
function documented(format: string, heading: string): string[] {
  const lines = page.slice(page.indexOf(`| format | endings | ${heading} |`)).split("\n");
  const row = lines.find((line) => line.startsWith(`| \`${format}\` |`))!;
  return [...row.split("|")[2]!.matchAll(/`(\.\w+)`/g)]
    .map(([, ending]) => ending!)
    .filter((ending) => ending !== ".gz" && ending !== ".zst");
}

test.each(TABLE_FORMATS)("the endings of %s are those of docs/scoring-files.md", (format) => {
  const read = documented(format, "read by");
  expect(read.length).toBeGreaterThan(1);
  for (const ending of read) {
    expect(readFormat(`folder.x/A${ending.toUpperCase()}`)).toBe(format);
  }
  const written = documented(format, "how it is written");
  expect(writtenEndings()).toContain(`${format} (${written.join(", ")})`);
  for (const ending of written) expect(writtenFormat(`A${ending.toUpperCase()}`)).toBe(format);
});

test("text formats are read and written packed", () => {
  expect(
    ["a.csv.gz", "a.json.GZ", "a.tsv.zst", "a.jsonl.zstd", "a.parquet.gz", "a.arrow.gz", "a.gz"].map(
      readFormat,
    ),
  ).toEqual(["csv", "ndjson", "csv", "ndjson", undefined, undefined, undefined]);
  expect(["a.csv.gz", "a.NDJSON.zst", "a.jsonl.zstd"].map(writtenFormat)).toEqual([
    "csv",
    "ndjson",
    "ndjson",
  ]);
  expect(["a.parquet.gz", "a.tsv", "a.json", "a.arrows", "-"].map(writtenFormat)).toEqual(
    Array(5).fill(undefined),
  );
});
