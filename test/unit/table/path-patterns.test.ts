import { expect, test } from "vitest";
import {
  isMeant,
  partitionNames,
  partitionValues,
  pathOfAddress,
  remoteScheme,
} from "../../../src/table/path-patterns.ts";

test.each([
  ["d/*", "d/a.csv", true],
  ["d/*", "d/.part-0.csv.crc", false],
  ["d/.*", "d/.hidden.csv", true],
  ["d/*", "d/_SUCCESS", false],
  ["d/*", "d/_SUCCESS.crc", false],
  ["d/_*", "d/_SUCCESS", true],
  ["d/*", "d/_rows.csv", true],
  ["d/**", "d/_delta_log/0.json", false],
  ["d/**", "d/.git/x.csv", false],
  ["d/**/*.csv", "d/a/b/x.csv", true],
  ["d/**/*.csv", "d/x.csv", true],
  ["d/**/*.csv", "d/_temporary/0/x.csv", false],
  [".cache/*.csv", ".cache/x.csv", true],
  ["./d/*", "d/a.csv", true],
  ["/d/?[!b].csv", "/d/xa.csv", true],
  ["/d/[^.]x.csv", "/d/ax.csv", true],
])("of %s, %s is meant: %s", (pattern, path, meant) => {
  expect(isMeant(pattern, path)).toBe(meant);
});

test.each([
  ["s3://b/a.parquet", "s3"],
  ["S3A://b/*.csv", "s3a"],
  ["https://x.org/a.csv", "https"],
  ["dbfs:/a/b.csv", "dbfs"],
  ["abfss://c@a.dfs.core.windows.net/x", "abfss"],
  ["file:///a.csv", undefined],
  ["C:/data/a.csv", undefined],
  ["a:b.csv", undefined],
  ["./s3/a.csv", undefined],
])("%s is an address of %s", (input, scheme) => {
  expect(remoteScheme(input)).toBe(scheme);
});

test.each([
  ["file:///tmp/a%20b.csv", "/tmp/a b.csv"],
  ["file:/tmp/a.csv", "/tmp/a.csv"],
  ["file://localhost/tmp/a.csv", "/tmp/a.csv"],
  ["FILE:///tmp/100%.csv", "/tmp/100%.csv"],
  ["file://host/tmp/a.csv", undefined],
  ["/tmp/a.csv", undefined],
])("%s is the path %s", (input, path) => {
  expect(pathOfAddress(input)).toBe(path);
});

test("the folders of partitions name columns where all files have them", () => {
  expect(partitionNames(["d/year=2024/sex=M/a.csv", "d/year=2025/sex=F/b.csv"])).toEqual(["year", "sex"]);
  expect(partitionNames(["d/year=2024/a.csv", "d/b.csv"])).toEqual([]);
  expect(partitionNames(["d/x%20y=1/a=b.csv"])).toEqual(["x y"]);
});

test("the values of partitions are unescaped, the last of a name counts, and Hive's mark is a missing one", () => {
  const values = partitionValues(
    "/data/k=1/k=2/place=a%2Fb=c/odd=%zz/none=__HIVE_DEFAULT_PARTITION__/x=y.csv",
  );
  expect(Object.fromEntries(values)).toEqual({ k: "2", place: "a/b=c", odd: "%zz", none: null });
});
