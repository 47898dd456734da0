/** Folders of partitions, types of kept columns, and packed outputs. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { knownFlags, parseArguments } from "../../../src/cli/arguments.ts";
import { SCORE_FLAGS } from "../../../src/config/flag-table.ts";
import { readScoreSettings } from "../../../src/config/score-settings.ts";
import { AssayError } from "../../../src/errors.ts";
import { runScore } from "../../../src/job/score-run.ts";
import { fileFolder } from "../../support/folders.ts";
import { silentLog } from "../../support/servers/silent-log.ts";
import { censusCsv, query } from "../../support/tables/tables.ts";

const folder = fileFolder();

/** Runs `assay score` in this process; 2 where it is refused. */
async function score(args: readonly string[]) {
  let stderr = "";
  const output = {
    write(text: string) {
      stderr += text;
      return true;
    },
  };
  const { flags } = parseArguments(args, knownFlags(SCORE_FLAGS));
  try {
    const options = {
      settings: readScoreSettings({ flags, environment: {} }, []),
      environment: {},
      log: silentLog,
      stdout: new PassThrough(),
      stderr: output,
      signal: new AbortController().signal,
    };
    return { code: await runScore(options), stderr };
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    return { code: 2, stderr: stderr + error.message };
  }
}

const at = (name: string) => join(folder, name);
function write(name: string, lines: readonly string[]): string {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), `${lines.join("\n")}\n`);
  return at(name);
}

const [header, ...rows] = censusCsv(400).trimEnd().split("\n");
const names = header!.split(",");
const [sexAt, ageAt] = [names.indexOf("sex"), names.indexOf("age")];

test("partitions feed the model and are kept: the scores are those of the same rows in one file", async () => {
  const rest = (line: string) =>
    line
      .split(",")
      .filter((_, index) => index !== sexAt && index !== ageAt)
      .join(",");
  const groups = new Map<string, string[]>();
  for (const row of rows) {
    const values = row.split(",");
    const place = `sex=${values[sexAt]}/age=0${values[ageAt]}`;
    groups.set(place, [...(groups.get(place) ?? []), row]);
  }
  const places = [...groups.keys()].sort();
  for (const place of places)
    write(`parts/${place}/part.csv`, [rest(header!), ...groups.get(place)!.map(rest)]);
  const flat = write("flat.csv", [header!, ...places.flatMap((place) => groups.get(place)!)]);
  const args = ["--model", "census", "--keep", "fnlwgt,sex,age"];
  const ran = await score([...args, "--input", at("parts"), "--output", at("parts.parquet")]);
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect((await score([...args, "--input", flat, "--output", at("flat.parquet")])).code).toBe(0);
  const read = (name: string) =>
    query(`SELECT fnlwgt, sex, age::INT AS age, score, label FROM '${at(name)}'`);
  expect(await read("parts.parquet")).toEqual(await read("flat.parquet"));
  const types = await query(
    `SELECT typeof(age) AS age, typeof(sex) AS sex FROM '${at("parts.parquet")}' LIMIT 1`,
  );
  expect(types).toEqual([{ age: "BIGINT", sex: "VARCHAR" }]);
});

const ODD = [
  "id,code,price,day,at,seen,big,empty,f0,f1,f2,f3",
  "1,007,1.50,2024-02-29,2024-01-01T12:00:00,true,9223372036854775807,,5.1,3.5,1.4,0.2",
  "2,8,-2e3,1999-12-31,2024-01-01 12:00:01.5,FALSE,,,6.1,2.9,4.7,1.4",
  ",010,0,,,,5,,6.3,3.3,6.0,2.5",
];
const KEPT = "id,code,price,day,at,seen,big,empty,f0";
const TYPES = KEPT.split(",")
  .map((name) => `typeof("${name}")`)
  .join(" || ',' || ");

test("--infer-types gives kept columns of CSV the type that all their values are written as", async () => {
  const args = [
    "--model",
    "iris",
    "--keep",
    KEPT,
    "--columns",
    "f0,f1,f2,f3",
    "--input",
    write("odd.csv", ODD),
  ];
  const typed = await score([...args, "--infer-types", "--output", at("typed.parquet")]);
  expect(typed, typed.stderr).toMatchObject({ code: 0 });
  expect(typed.stderr).toContain("types of kept columns: id BIGINT, price DOUBLE, day DATE, at TIMESTAMP");
  expect(await query(`SELECT DISTINCT ${TYPES} AS types FROM '${at("typed.parquet")}'`)).toEqual([
    { types: "BIGINT,VARCHAR,DOUBLE,DATE,TIMESTAMP,BOOLEAN,BIGINT,VARCHAR,DOUBLE" },
  ]);
  expect(await query(`SELECT id::INT AS id, code, price, seen, empty FROM '${at("typed.parquet")}'`)).toEqual(
    [
      { id: 1, code: "007", price: 1.5, seen: true, empty: null },
      { id: 2, code: "8", price: -2000, seen: false, empty: null },
      { id: null, code: "010", price: 0, seen: null, empty: null },
    ],
  );
  // Without it they are the text that they are.
  expect((await score([...args, "--output", at("text.ndjson")])).code).toBe(0);
  expect(JSON.parse(readFileSync(at("text.ndjson"), "utf8").split("\n")[0]!)).toMatchObject({
    id: "1",
    price: "1.50",
  });
});

test("--infer-types types the keys of NDJSON, where a number in a string is no number", async () => {
  const row = { f0: 5.1, f1: 3.5, f2: 1.4, f3: 0.2 };
  const input = write(
    "odd.ndjson",
    [
      { id: 1, text: "1", day: "2024-02-29", at: "2024-01-01T12:00:00Z", flag: true, nested: { a: 1 } },
      { id: 2.5, text: "2", day: null, at: "2024-01-01T12:00:00+02:00", flag: false, nested: {} },
    ].map((each) => JSON.stringify({ ...each, ...row })),
  );
  const keep = "id,text,day,at,flag,nested";
  const args = ["--model", "iris", "--columns", "f0,f1,f2,f3", "--keep", keep, "--input", input];
  const ran = await score([...args, "--infer-types", "--output", at("typed-json.parquet")]);
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  const types = keep.split(",").map((name) => `typeof("${name}")`);
  expect(
    await query(`SELECT DISTINCT ${types.join(" || ',' || ")} AS types FROM '${at("typed-json.parquet")}'`),
  ).toEqual([{ types: "DOUBLE,VARCHAR,DATE,TIMESTAMP WITH TIME ZONE,BOOLEAN,VARCHAR" }]);
});

test("standard input, which is read once, has no types inferred", async () => {
  const args = ["--model", "iris", "--by-position", "--input", "-", "--input-format", "csv", "--infer-types"];
  const ran = await score([...args, "--output", at("none.csv")]);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain(
    "--infer-types reads the input once beforehand, and standard input can only be",
  );
});

test("an output is packed as its ending or --compression says, and can be scored again", async () => {
  const input = write("iris.csv", ["a,b,c,d", "5.1,3.5,1.4,0.2", "6.3,3.3,6.0,2.5"]);
  const args = ["--model", "iris", "--columns", "a,b,c,d", "--keep", "a,b,c,d", "--input", input];
  const unpacked: Record<string, Buffer> = {};
  for (const [name, unpack] of [
    ["out.csv.gz", gunzipSync],
    ["out.csv.zst", zstdDecompressSync],
    ["out.csv", (bytes: Buffer) => bytes],
    ["out.ndjson.gz", gunzipSync],
    ["out.jsonl.zst", zstdDecompressSync],
    ["out.ndjson", (bytes: Buffer) => bytes],
  ] as const) {
    expect(await score([...args, "--output", at(name)])).toMatchObject({ code: 0 });
    unpacked[name] = unpack(readFileSync(at(name)));
  }
  expect(unpacked["out.csv.gz"]).toEqual(unpacked["out.csv"]);
  expect(unpacked["out.csv.zst"]).toEqual(unpacked["out.csv"]);
  expect(unpacked["out.ndjson.gz"]).toEqual(unpacked["out.ndjson"]);
  expect(unpacked["out.jsonl.zst"]).toEqual(unpacked["out.ndjson"]);
  const again = args.with(-1, at("out.csv.zst"));
  expect((await score([...again, "--output", at("again.csv.gz")])).code).toBe(0);
  expect(gunzipSync(readFileSync(at("again.csv.gz")))).toEqual(unpacked["out.csv"]);
  expect((await score([...args, "--compression", "zstd", "--output", at("z.parquet")])).code).toBe(0);
  expect(await query(`SELECT DISTINCT compression FROM parquet_metadata('${at("z.parquet")}')`)).toEqual([
    { compression: "ZSTD" },
  ]);
  for (const [flags, message] of [
    [["--compression", "zstd", "--output", at("x.csv.gz")], "ends as a file packed by gzip does"],
    [["--compression", "snappy", "--output", at("x.csv")], "csv is written with none, gzip, zstd"],
    [["--compression", "zstd", "--output", at("x.arrow")], "arrow is written with none"],
    [["--compression", "gzip", "--output-format", "csv", "--output", "-"], "pipe it through gzip or zstd"],
  ] as const) {
    const refused = await score([...args, ...flags]);
    expect([refused.code, refused.stderr.includes(message)], refused.stderr).toEqual([2, true]);
  }
});

test("a file without a header, all of text, is suspected to have none", async () => {
  const input = write("bare.csv", ["red,big,x", "blue,small,y", "red,big,z"]);
  const ran = await score(["--model", "iris", "--input", input, "--output", at("bare.parquet")]);
  expect(ran.stderr).toContain(
    '"red", "big" are values of their column too: if the first line is a row already',
  );
});
