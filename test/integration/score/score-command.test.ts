import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { score, startScore } from "../../support/clients/score-command.ts";
import { fileFolder } from "../../support/folders.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";
import { censusCsv, query } from "../../support/tables/tables.ts";

const ROWS = 3000;
const folder = fileFolder();

const census = join(folder, "census.csv");
writeFileSync(census, censusCsv(ROWS));
const server = await fileServer("models");

const into = (name: string) => ["--output", join(folder, name)];
const CENSUS = ["--model", "census", "--keep", "age,sex,fnlwgt"];

test("scores of a CSV file are those of single calls to a server, row by row and in order", async () => {
  const ran = await score([...CENSUS, "--input", census, ...into("a.parquet")]);
  expect(ran.stderr).toContain("education_num ← education-num (other spelling)");
  expect(ran).toMatchObject({ code: 0, stdout: "" });
  const scored = await query(`SELECT * FROM '${join(folder, "a.parquet")}'`);
  expect(scored).toHaveLength(ROWS);
  const lines = censusCsv(ROWS).split("\n");
  const names = lines[0]!.split(",");
  for (const row of [0, 1, 999, 2047, 2048, 2049, ROWS - 1]) {
    const values = lines[row + 1]!.split(",");
    const fields = Object.fromEntries(names.map((name, i) => [name.replaceAll("-", "_"), values[i]!]));
    const inputs = ["workclass", "marital_status", "occupation", "relationship", "sex"].map((name) => [
      name,
      fields[name],
    ]);
    const numbers = ["age", "education_num", "hours_per_week", "capital_gain", "capital_loss"].map((name) => [
      name,
      Number(fields[name]),
    ]);
    const response = await fetch(`${server.url}/assay.v1.ScoringService/Predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model_name: "census", rows: [Object.fromEntries([...inputs, ...numbers])] }),
    });
    const { scores, labels } = (await response.json()) as { scores: number[]; labels: string[] };
    expect(scored[row]).toMatchObject({
      age: fields.age,
      sex: fields.sex,
      label: labels[0],
      score_error: null,
    });
    expect(scored[row]!.score).toBeCloseTo(scores[0]!, 5);
  }
});

test("a server gives the same output as the pool in the process", async () => {
  await score([...CENSUS, "--input", census, ...into("local.csv")]);
  const ran = await score([...CENSUS, "--server", server.url, "--input", census, ...into("remote.csv")]);
  expect(ran.code).toBe(0);
  const local = await query(`SELECT * FROM '${join(folder, "local.csv")}'`);
  const remote = await query(`SELECT * FROM '${join(folder, "remote.csv")}'`);
  expect(remote).toHaveLength(ROWS);
  for (const [row, { score: expected, ...rest }] of local.entries()) {
    expect(remote[row]).toMatchObject(rest);
    expect(remote[row]!.score).toBeCloseTo(expected as number, 5);
  }
});

test("every way in and out gives the same scores", async () => {
  const outputs: Record<string, string> = {};
  for (const ending of ["parquet", "csv", "ndjson", "arrow"]) {
    const ran = await score([...CENSUS, "--input", census, ...into(`way.${ending}`), "--overwrite"]);
    expect(ran.code, ran.stderr).toBe(0);
    outputs[ending] = join(folder, `way.${ending}`);
  }
  const scores = (await query(`SELECT score FROM '${outputs.parquet}'`)).map((row) => row.score);
  for (const path of [outputs.csv, outputs.ndjson]) {
    expect((await query(`SELECT score FROM '${path}'`)).map((row) => row.score)).toEqual(scores);
  }
  const arrow = await import("apache-arrow");
  const table = arrow.tableFromIPC(readFileSync(outputs.arrow!));
  expect([...table.getChild("score")!]).toEqual(scores);
});

test("a query is scored in its order, and standard input and output make a filter", async () => {
  const sql =
    `sql:SELECT * FROM read_csv('${census}') WHERE age < 20 ORDER BY fnlwgt, hours_per_week, occupation`.replace(
      "hours_per_week",
      '"hours-per-week"',
    );
  const ran = await score([...CENSUS, "--input", sql, "--output", "-", "--output-format", "csv"]);
  expect(ran.code, ran.stderr).toBe(0);
  const lines = ran.stdout.trimEnd().split("\n");
  expect(lines[0]).toBe("age,sex,fnlwgt,score,label,model_version,score_error");
  const weights = lines.slice(1).map((line) => Number(line.split(",")[2]));
  expect(weights.length).toBeGreaterThan(50);
  expect(weights).toEqual([...weights].sort((a, b) => a - b));
  const piped = await score(
    [
      "--model",
      "census",
      "--input",
      "-",
      "--input-format",
      "csv",
      "--output",
      "-",
      "--output-format",
      "ndjson",
    ],
    censusCsv(100),
  );
  expect(piped.code, piped.stderr).toBe(0);
  const rows = piped.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows).toHaveLength(100);
  expect(rows[0]).toMatchObject({ label: "<=50K", model_version: "1" });
});

test("a dry run prints the first rows and writes nothing", async () => {
  const before = readdirSync(folder);
  const ran = await score([...CENSUS, "--input", census, "--dry-run", "--probabilities"]);
  expect(ran.code).toBe(0);
  const lines = ran.stdout.trimEnd().split("\n");
  expect(lines[0]!.split(/\s+/).filter((name) => name !== "")).toEqual([
    "age",
    "sex",
    "fnlwgt",
    "score",
    "label",
    "probability_<=50K",
    "probability_>50K",
  ]);
  expect(lines).toHaveLength(12);
  expect(readdirSync(folder)).toEqual(before);
});

const BROKEN =
  'id,a,b,c,d\n1,5.1,3.5,1.4,0.2\n2,0x10,3,4.9,1.5\n3,6.3,NA,6,2.5\n4,5.8,2.7,"5,1",1.9\n5,4.9,3,1.4,0.2\n';
const IRIS = ["--model", "iris", "--input", "-", "--input-format", "csv", "--by-position", "--keep", "id"];
const OUT = ["--output", "-", "--output-format", "ndjson"];

test("a row that cannot be scored ends the run by file, row, column and text", async () => {
  const ran = await score([...IRIS, ...OUT], BROKEN);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toBe("");
  expect(ran.stderr).toContain("standard input row 2: ");
  expect(ran.stderr).toContain('"0x10"');
  expect(ran.stderr).toContain("--on-error keep");
});

test("rows that fail are kept with their error or left out, the others are scored, and the exit code tells", async () => {
  const kept = await score([...IRIS, ...OUT, "--on-error", "keep"], BROKEN);
  expect(kept.code, kept.stderr).toBe(3);
  const rows = kept.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.map((row) => row.id)).toEqual(["1", "2", "3", "4", "5"]);
  expect(rows.map((row) => row.score === null)).toEqual([false, true, true, true, false]);
  expect(rows.map((row) => row.score_error === null)).toEqual([true, false, false, false, true]);
  const skipped = await score([...IRIS, ...OUT, "--on-error", "skip"], BROKEN);
  expect(skipped.code).toBe(3);
  expect(
    skipped.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id),
  ).toEqual(["1", "5"]);
  expect(skipped.stderr).toContain("3 rows failed and are left out");
  const told = await score([...IRIS, ...OUT, "--null-values", "NA", "--on-error", "keep"], BROKEN);
  expect(
    told.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { score_error: unknown }).score_error === null),
  ).toEqual([true, false, true, false, true]);
});

test("the summary counts one row as one", async () => {
  const [header, , failing] = BROKEN.split("\n");
  const kept = await score([...IRIS, ...OUT, "--on-error", "keep"], `${header}\n${failing}\n`);
  expect(kept.stderr).toMatch(/^1 row in .*; 1 row failed and is written with its score_error$/m);
});

test("what does not fit is told all at once before the first row is scored", async () => {
  const ran = await score(
    ["--model", "census", "--input", "-", "--input-format", "csv", "--keep", "nme", ...OUT],
    "age,name\n1,2\n",
  );
  expect(ran.code).toBe(1);
  for (const name of ["education_num", "workclass", "sex", "nme"]) expect(ran.stderr).toContain(name);
  expect(ran.stdout).toBe("");
});

test("an output that exists is not replaced unless asked", async () => {
  writeFileSync(join(folder, "there.csv"), "mine\n");
  const ran = await score([...CENSUS, "--input", census, ...into("there.csv")]);
  expect([1, 2]).toContain(ran.code);
  expect(ran.stderr).toContain("--overwrite");
  expect(readFileSync(join(folder, "there.csv"), "utf8")).toBe("mine\n");
  const again = await score([...CENSUS, "--input", census, ...into("there.csv"), "--overwrite"]);
  expect(again.code).toBe(0);
  expect(existsSync(join(folder, "there.csv.parts"))).toBe(false);
});

test.each([
  [["--model", "iris"], "--input is missing"],
  [["--model", "iris", "--input", "x.csv"], "--output is missing"],
  [["--input", "x.csv", "--output", "y.csv"], "--model"],
  [["--modl", "iris"], "--model"],
  [["--model", "iris", "--model", "census"], "--model came more than once"],
  [["--model", "iris", "--input", "x.csv", "--output", "y.xlsx"], "y.xlsx"],
  [["--model", "iris", "--input", "x.csv", "--output", "y.csv", "--csv-delimiter", "ab"], "--csv-delimiter"],
  [
    [
      "--model",
      "iris",
      "--input",
      "README.md",
      "--input-format",
      "csv",
      "--output",
      "y.csv",
      "--server",
      "a:b:c",
    ],
    "a:b:c",
  ],
])("called wrongly with %j it says so and ends with 2", async (args, expected) => {
  const ran = await score(args);
  expect(ran.stderr).toContain(expected);
  expect(ran.code).toBe(2);
});

test.each([
  [["--model", "iris", "--input", "nowhere.csv", "--output", "y.csv"], "nowhere.csv"],
  [
    ["--model", "iriss", "--input", "README.md", "--input-format", "csv", "--output", "y.csv"],
    'did you mean "iris"',
  ],
])("what is not there, %j, is named and ends with 1", async (args, expected) => {
  const ran = await score(args);
  expect(ran.stderr).toContain(expected);
  expect(ran.code).toBe(1);
});

test("inputs, pairs and kept columns may come again, and all of them count", async () => {
  const files = [1, 2].map((id) => join(folder, `flower-${id}.csv`));
  for (const [i, file] of files.entries()) writeFileSync(file, `id,day,a,b,c,d\n${i},mon,5.1,3.5,1.4,0.2\n`);
  const maps = ["a", "b", "c", "d"].flatMap((name, i) => ["--map", `features[${i}]=${name}`]);
  const inputs = files.flatMap((file) => ["--input", file]);
  const ran = await score(["--model", "iris", ...inputs, ...maps, "--keep", "id", "--keep", "day", ...OUT]);
  expect(ran.code, ran.stderr).toBe(0);
  const rows = ran.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows).toMatchObject([
    { id: "0", day: "mon", label: "setosa" },
    { id: "1", day: "mon", label: "setosa" },
  ]);
});

test("a dry run scores the rows that it shows, and no more", async () => {
  const lines = Array.from({ length: 200 }, (_, id) => `${id},5.1,3.5,1.4,${id === 100 ? "NA" : "0.2"}`);
  const ran = await score([...IRIS, "--dry-run"], `id,a,b,c,d\n${lines.join("\n")}\n`);
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stdout.trimEnd().split("\n")).toHaveLength(12);
});

test.each(["stdout", "stderr"] as const)("whoever reads %s may go", async (name) => {
  const running = startScore([...CENSUS, "--input", census, "--dry-run"]);
  running.child[name]!.destroy();
  const ended = await running.ended;
  expect(ended.code).toBe(0);
  expect(ended.stderr).not.toContain("EPIPE");
});

test("the lines of the README score its example", async () => {
  const readme = readFileSync("README.md", "utf8");
  const lines = readme.split("\n").filter((line) => line.startsWith("npx assay score "));
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    const args = line
      .slice("npx assay score ".length)
      .replace("scores.parquet", join(folder, "readme.parquet"));
    const ran = await score(args.split(" "));
    expect(ran.code, ran.stderr).toBe(0);
    if (!line.includes(".parquet")) expect(ran.stdout).toContain("p-006");
  }
  expect(
    await query(`SELECT id FROM '${join(folder, "readme.parquet")}' WHERE score IS NOT NULL`),
  ).toHaveLength(6);
});
