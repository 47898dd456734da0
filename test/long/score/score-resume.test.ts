import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ResumedScore } from "../../support/clients/resumed-score.ts";
import { score, startScore } from "../../support/clients/score-command.ts";

let run: ResumedScore;

beforeAll(async () => {
  run = await ResumedScore.start();
}, 60_000);

afterAll(() => run?.remove());

test("a run goes on where the killed one stopped, and refuses when its input changed", {
  timeout: 60_000,
}, async () => {
  const running = startScore(run.command("resumed.parquet"));
  await run.atChange(25, () => running.child.kill("SIGKILL"), running.ended);
  expect((await running.ended).signal).toBe("SIGKILL");
  const refused = await score(run.command("resumed.parquet", "--probabilities"));
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("--probabilities");
  expect(refused.stderr).toContain("--restart");
  const resumed = await score(run.command("resumed.parquet"));
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toMatch(/going on after [\d,]+ rows of an earlier run/);
  expect((await run.scoresIn("resumed.parquet")).map((row) => row.score)).toEqual(
    run.undisturbed.map((row) => row.score),
  );
});

/** A query whose row 9,001 has a value that the model refuses, so that a run leaves parts and ends. */
function refusedRow(output: string, order: string, ...more: string[]): string[] {
  const values = "1.5::FLOAT AS a, 1.5::FLOAT AS b, 1.5::FLOAT AS c";
  const sql = `SELECT range AS id, ${values}, CASE WHEN range = 9000 THEN 'inf'::FLOAT ELSE range END AS d FROM range(12000)${order}`;
  return ["--model", "iris", "--input", `sql:${sql}`, "--output", join(run.folder, output)].concat(
    ["--by-position", "--keep", "id", "--part-rows", "2048"],
    more,
  );
}

test("a query without ORDER BY is not gone on with, one with it is, also where failing rows are now kept", async () => {
  const unordered = await score(refusedRow("unordered.csv", ""));
  expect(unordered.code, unordered.stderr).toBe(1);
  expect(unordered.stderr).toContain("row 9001");
  const again = await score(refusedRow("unordered.csv", "", "--on-error", "keep"));
  expect(again.code).toBe(2);
  expect(again.stderr).toContain("no ORDER BY");
  expect(again.stderr).toContain("--restart");
  const restarted = await score(refusedRow("unordered.csv", "", "--on-error", "keep", "--restart"));
  expect(restarted.code, restarted.stderr).toBe(3);
  await score(refusedRow("ordered.csv", " ORDER BY id"));
  const kept = await score(refusedRow("ordered.csv", " ORDER BY id", "--on-error", "keep"));
  expect(kept.code, kept.stderr).toBe(3);
  expect(kept.stderr).toMatch(/going on after [\d,]+ rows/);
  const rows = await run.scoresIn("ordered.csv");
  expect(rows.map(({ id }) => Number(id))).toEqual(Array.from({ length: 12_000 }, (_, id) => id));
  expect(rows.filter((row) => row.score_error !== null).map(({ id }) => Number(id))).toEqual([9000]);
}, 60_000);

test("a model whose config.json names its columns in another order is not gone on with", async () => {
  const models = join(run.folder, "models");
  cpSync("models/iris", join(models, "iris"), { recursive: true });
  const named = (names: readonly string[]) => {
    const config = { inputs: [{ name: "features", feature_names: names }] };
    writeFileSync(join(models, "iris", "config.json"), JSON.stringify(config));
  };
  const args = refusedRow("config.csv", " ORDER BY id", "--models", models).filter(
    (arg) => arg !== "--by-position",
  );
  named(["a", "b", "c", "d"]);
  expect((await score(args)).code).toBe(1);
  named(["d", "c", "b", "a"]);
  const changed = await score(args);
  expect(changed.code).toBe(2);
  expect(changed.stderr).toContain("the mapping of columns");
  expect(changed.stderr).toContain("--restart");
});

test("an output that is read, or is no ordinary file, is not replaced", async () => {
  const csv = join(run.folder, "read.csv");
  writeFileSync(csv, "id,a,b,c,d\n1,5.1,3.5,1.4,0.2\n");
  const args = [
    "--model",
    "iris",
    "--by-position",
    "--keep",
    "id",
    "--overwrite",
    "--input",
    csv,
    "--output",
  ];
  expect((await score([...args, csv])).stderr).toContain("it is read as");
  symlinkSync(csv, join(run.folder, "link.csv"));
  expect((await score([...args, join(run.folder, "link.csv")])).stderr).toContain("it is a link");
  expect(readFileSync(csv, "utf8")).toContain("5.1");
  const twice = await score([...args, join(run.folder, "twice.csv"), join(run.folder, ".", "link.csv")]);
  expect(twice.stderr).toContain("named twice");
});
