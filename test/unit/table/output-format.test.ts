import { expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { outputFormat } from "../../../src/table/format-endings.ts";

test.each([
  ["scores.parquet", undefined, "parquet"],
  ["out/Scores.PQ", undefined, "parquet"],
  ["scores.csv", undefined, "csv"],
  ["scores.ndjson", undefined, "ndjson"],
  ["scores.jsonl", undefined, "ndjson"],
  ["scores.arrow", undefined, "arrow"],
  ["scores.feather", undefined, "arrow"],
  ["scores.csv", "arrow", "arrow"],
  ["-", "CSV", "csv"],
] as const)("%s with the flag %s is %s", (path, flag, format) => {
  expect(outputFormat(path, flag)).toBe(format);
});

test.each([
  [
    "scores.json",
    undefined,
    "scores.json ends in none that is known: give --output-format parquet|csv|ndjson|arrow",
  ],
  ["-", undefined, "standard output has no ending: give --output-format"],
  ["scores.csv", "ndjsn", 'is none of parquet, csv, ndjson, arrow; did you mean "ndjson"?'],
] as const)("%s with the flag %s is refused with what is possible", (path, flag, message) => {
  expect(() => outputFormat(path, flag)).toThrow(
    expect.objectContaining({ reason: Reason.CONFIG_INVALID, message: expect.stringContaining(message) }),
  );
});
