import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exampleRepository } from "../../support/folders.ts";
import { type ServerProcess, startServerProcess } from "../../support/servers/server-process.ts";
import { exampleOf } from "./example.ts";

/** What Dagster keeps of the runs, what the files hold, and the digest that the server tells. */
const KEPT = `
import glob, json, os
import assay, dagster as dg, pyarrow.parquet as pq
instance = dg.DagsterInstance.get()
runs = instance.fetch_materializations(dg.AssetKey("scored_customers"), limit=100).records
checks = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(dg.AssetKey("scored_customers"), "few_rows_fail"), limit=100)
print(json.dumps({
  "runs": sorted(({"day": run.partition_key, **{name: one.value for name, one in run.asset_materialization.metadata.items()}} for run in runs), key=lambda one: one["day"]),
  "checks": sorted(check.status.value for check in checks if check.status.value != "PLANNED"),
  "files": {os.path.basename(path): pq.read_table(path).to_pylist() for path in glob.glob("scores/*")},
  "digest": assay.Client(os.environ["ASSAY_URL"]).describe("census").sha256,
}))`;
interface Kept {
  runs: { day: string; seconds: number; path: string }[];
  checks: string[];
  files: Record<string, Record<string, unknown>[]>;
  digest: string;
}
let server: ServerProcess;
const models = exampleRepository("census");
const example = exampleOf("dagster", () => server.url);
const kept = () => example.shell(`export DAGSTER_HOME="$PWD/home"; python - <<'END'\n${KEPT}\nEND`);

beforeAll(async () => {
  server = await startServerProcess(models);
  const installed = await example.follow("install");
  expect(installed, installed.stderr).toMatchObject({ status: 0 });
  expect(installed.stdout).toContain("Successfully installed assay-client-");
});
afterAll(() => server.terminate());

test("an asset of Dagster scores its days, tells what it did, and a second run leaves the same files", async () => {
  const told: Kept[] = [];
  for (const nth of ["first", "second"]) {
    const ran = await example.follow("run");
    expect(ran, nth + ran.stderr).toMatchObject({ status: 0 });
    const { stdout, stderr } = await kept();
    expect(stdout, stderr).not.toBe("");
    told.push(JSON.parse(stdout) as Kept);
  }
  const [first, second] = told as [Kept, Kept];
  const days = ["2024-01-01", "2024-01-02"];
  const run = { rows: 60, failed: 0, model: "census:1", model_digest: `sha256:${first.digest}` };
  expect(first.runs).toMatchObject(days.map((day) => ({ day, ...run })));
  for (const { seconds } of first.runs) expect(seconds).toBeGreaterThan(0);
  expect(second.runs.map(({ day }) => day)).toEqual(days.flatMap((day) => [day, day]));
  expect(Object.keys(second.files).sort()).toEqual(days.map((day) => `${day}.parquet`));
  // Rows of different batches are summed in another order.
  for (const file of Object.keys(first.files)) {
    for (const [at, row] of first.files[file]!.entries()) {
      const { score, ...rest } = second.files[file]![at]!;
      expect({ ...rest, score: expect.closeTo(score as number, 6) }).toEqual(row);
    }
  }
});

test("a day whose rows lack values fails the asset's check, and the reasons stand in its file", async () => {
  const ran = await example.shell(
    'export DAGSTER_HOME="$PWD/home"; dagster asset materialize -f definitions.py --select scored_customers --partition 2024-01-03',
  );
  expect(ran.status).toBe(1);
  expect(ran.stdout + ran.stderr).toContain("scored_customers: few_rows_fail");
  const { checks, files, runs } = JSON.parse((await kept()).stdout) as Kept;
  expect(checks).toEqual(["FAILED", ...Array(4).fill("SUCCEEDED")]);
  expect(runs.at(-1)).toMatchObject({ day: "2024-01-03", rows: 60, failed: 12 });
  const failed = files["2024-01-03.parquet"]!.filter(({ score }) => score === null);
  expect(failed.map((row) => row.score_error)).toEqual(
    Array(12).fill(expect.stringContaining('column "education_num"')),
  );
  expect(readdirSync(join(example.folder, "scores")).filter((name) => !name.endsWith(".parquet"))).toEqual(
    [],
  );
});
