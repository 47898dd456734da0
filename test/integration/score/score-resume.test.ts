import {
  cpSync,
  type FSWatcher,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { score, startScore } from "../../support/clients/score-command.ts";
import { query } from "../../support/tables/tables.ts";

const ROWS = 60_000;
const PART_ROWS = 4_000;
/** Runs of one output that are killed before one is let go to its end. */
const _KILLS = 6;
let folder: string;
let table: string;
let undisturbed: Record<string, unknown>[];

/** Different rows for the iris model. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-resume-"));
  table = join(folder, "flowers.parquet");
  const columns = ["a", "b", "c", "d"].map((name, i) => `(random() * ${2 + i})::FLOAT AS ${name}`);
  await query(
    `COPY (SELECT range AS id, ${columns.join(", ")} FROM range(${ROWS})) TO '${table}' (ROW_GROUP_SIZE 5000)`,
  );
  const ran = await score(command("undisturbed.parquet"));
  expect(ran.code, ran.stderr).toBe(0);
  undisturbed = await scoresIn("undisturbed.parquet");
  expect(undisturbed).toHaveLength(ROWS);
  expect(new Set(undisturbed.map((row) => row.score)).size).toBeGreaterThan(ROWS / 100);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function command(output: string, ...more: string[]): string[] {
  return ["--model", "iris", "--input", table, "--output", join(folder, output)].concat(
    ["--by-position", "--keep", "id", "--part-rows", String(PART_ROWS)],
    more,
  );
}

function scoresIn(name: string): Promise<Record<string, unknown>[]> {
  return query(`SELECT id, round(score, 5) AS score, label, score_error FROM '${join(folder, name)}'`);
}

/** Calls `act` at the count-th change in the folder, wherever in the run that is; resolves when it has, or `over` settles. */
async function atChange(count: number, act: () => void, over: Promise<unknown>): Promise<void> {
  let seen = 0;
  let watcher: FSWatcher | undefined;
  await Promise.race([
    over,
    new Promise<void>((resolve) => {
      watcher = watch(folder, { recursive: true }, () => {
        if (++seen < count) return;
        act();
        resolve();
      });
    }),
  ]);
  watcher?.close();
}

test("a run goes on where the killed one stopped, and refuses when its input changed", {
  timeout: 60_000,
}, async () => {
  const running = startScore(command("resumed.parquet"));
  await atChange(25, () => running.child.kill("SIGKILL"), running.ended);
  expect((await running.ended).signal).toBe("SIGKILL");
  const refused = await score(command("resumed.parquet", "--probabilities"));
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("--probabilities");
  expect(refused.stderr).toContain("--restart");
  const resumed = await score(command("resumed.parquet"));
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toMatch(/going on after [\d,]+ rows of an earlier run/);
  expect((await scoresIn("resumed.parquet")).map((row) => row.score)).toEqual(
    undisturbed.map((row) => row.score),
  );
});

/** A query whose row 9,001 has a value that the model refuses, so that a run leaves parts and ends. */
function refusedRow(output: string, order: string, ...more: string[]): string[] {
  const values = "1.5::FLOAT AS a, 1.5::FLOAT AS b, 1.5::FLOAT AS c";
  const sql = `SELECT range AS id, ${values}, CASE WHEN range = 9000 THEN 'inf'::FLOAT ELSE range END AS d FROM range(12000)${order}`;
  return ["--model", "iris", "--input", `sql:${sql}`, "--output", join(folder, output)].concat(
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
  const rows = await scoresIn("ordered.csv");
  expect(rows.map(({ id }) => Number(id))).toEqual(Array.from({ length: 12_000 }, (_, id) => id));
  expect(rows.filter((row) => row.score_error !== null).map(({ id }) => Number(id))).toEqual([9000]);
}, 60_000);

test("a model whose config.json names its columns in another order is not gone on with", async () => {
  const models = join(folder, "models");
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
  const csv = join(folder, "read.csv");
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
  symlinkSync(csv, join(folder, "link.csv"));
  expect((await score([...args, join(folder, "link.csv")])).stderr).toContain("it is a link");
  expect(readFileSync(csv, "utf8")).toContain("5.1");
  const twice = await score([...args, join(folder, "twice.csv"), join(folder, ".", "link.csv")]);
  expect(twice.stderr).toContain("named twice");
});
