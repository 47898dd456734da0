import { expect, test } from "vitest";
import { readScoreSettings } from "../../../src/config/score-settings.ts";

function read(flags: Record<string, string>, paths: readonly string[] = [], environment = {}) {
  return readScoreSettings({ flags: new Map(Object.entries(flags)), environment }, paths);
}

const ENOUGH = { model: "m", input: "a.csv", output: "b.csv" };

test("defaults are filled in, and lists and pairs are taken apart", () => {
  const settings = read({ ...ENOUGH, keep: "id, day", map: "x=A b,y=c=d", "null-values": "NA,?" });
  expect(settings).toMatchObject({
    models: "models",
    onError: "fail",
    csvHeader: true,
    csvEncoding: "utf-8",
    retryTimeoutMs: 60_000,
    keep: ["id", "day"],
    nullValues: ["NA", "?"],
    inputs: ["a.csv"],
  });
  expect([...settings.maps]).toEqual([["x", "A b"], ["y", "c=d"]]); // biome-ignore format: pairs in one line
  expect(settings.textForNull).toBeUndefined();
  expect(read({ ...ENOUGH, "text-for-null": "" }).textForNull).toBe("");
});

test("an item of a list may stand in quotes, for the commas in it", () => {
  const settings = read({ ...ENOUGH, keep: 'id,"price, net"', map: '"x=a,b",y=c', "null-values": '"n,a"' });
  expect(settings).toMatchObject({ keep: ["id", "price, net"], nullValues: ["n,a"] });
  expect([...settings.maps]).toEqual([["x", "a,b"], ["y", "c"]]); // biome-ignore format: pairs in one line
  expect(() => read({ ...ENOUGH, keep: 'id,"price, net' })).toThrow(/--keep: .* a quoted item does not end/);
});

test("paths after the flags are further inputs, as a shell leaves an expanded glob", () => {
  expect(read(ENOUGH, ["c.csv", "d.csv"]).inputs).toEqual(["a.csv", "c.csv", "d.csv"]);
});

test("the environment stands in for a flag", () => {
  expect(read(ENOUGH, [], { ASSAY_ON_ERROR: "skip" }).onError).toBe("skip");
});

test("every problem is told at once", () => {
  const wrong = () =>
    read({ "on-error": "explode", map: "x=a,x=b", "by-position": "true", "csv-encoding": "ebcdic" });
  for (const part of ["--model", "--input is missing", "--output is missing", "--on-error", '"x" came twice'])
    expect(wrong).toThrow(part);
  for (const part of ["--by-position and --map", "--csv-encoding"]) expect(wrong).toThrow(part);
  expect(() => read({ ...ENOUGH, input: "-" }, ["b.csv"])).toThrow("stand alone");
  expect(() => read({ ...ENOUGH, output: "-", overwrite: "true" })).toThrow("replaces nothing");
});

test("a dry run needs no output", () => {
  expect(read({ model: "m", input: "a.csv", "dry-run": "true" }).dryRun).toBe(true);
});

test("a model that is not named is missing, and a sign that is none is told by what is expected", () => {
  expect(() => read({ input: "a.csv", output: "b.csv", "csv-delimiter": "ab" })).toThrow(
    '--model is missing: model to score with (NAME, NAME:VERSION or NAME:LABEL)\n--csv-delimiter: "ab" came; expected: separator between fields, such as',
  );
});
