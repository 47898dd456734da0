import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exampleRepository } from "../../support/folders.ts";
import { type ServerProcess, startServerProcess } from "../../support/servers/server-process.ts";
import { exampleOf } from "./example.ts";

/** What the table holds, beside what the server says of the same rows by itself. */
const COMPARED = `
import json, os
import assay, duckdb
table = duckdb.connect("customers.duckdb", read_only=True)
rows = table.sql("select * from scored_customers order by id").to_arrow_table()
truth = assay.Client(os.environ["ASSAY_URL"]).predict("census", table.sql("select * from customers order by id").to_arrow_table())
print(json.dumps({
  "ids": rows["id"].to_pylist(),
  "farthest": max(abs(a - b) for a, b in zip(rows["score"].to_pylist(), truth.scores)),
  "labels": rows["label"].to_pylist() == truth.labels,
  "versions": sorted(set(rows["model_version"].to_pylist())),
  "errors": rows["score_error"].null_count - rows.num_rows,
}))`;
let server: ServerProcess;
const models = exampleRepository("census");
const example = exampleOf("dbt", () => server.url);

beforeAll(async () => {
  server = await startServerProcess(models);
  const installed = await example.follow("install");
  expect(installed, installed.stderr).toMatchObject({ status: 0 });
  expect(installed.stdout).toContain("Successfully installed assay-client-");
});
afterAll(() => server.terminate());

test("a dbt model scores the table that it refers to, and a second run leaves the same table", async () => {
  for (const nth of ["first", "second"]) {
    const built = await (nth === "first"
      ? example.follow("run")
      : example.shell("dbt build --profiles-dir ."));
    expect(built, built.stdout + built.stderr).toMatchObject({ status: 0 });
    expect(built.stdout).toContain("Done. PASS=5 WARN=0 ERROR=0");
    const { farthest, ...found } = (await example.python(COMPARED)) as { farthest: number };
    expect(farthest, nth).toBeLessThan(1e-6);
    expect(found, nth).toEqual({
      ids: Array.from({ length: 200 }, (_, at) => at + 1),
      labels: true,
      versions: ["1"],
      errors: 0,
    });
  }
});

test("rows that cannot be scored fail the test of the project and keep their reason", async () => {
  const seed = join(example.folder, "seeds/customers.csv");
  const lines = readFileSync(seed, "utf8").split("\n");
  writeFileSync(
    seed,
    lines.map((line, at) => (at >= 1 && at <= 4 ? line.replace(/,\w+$/, ",") : line)).join("\n"),
  );
  const built = await example.shell("dbt build --profiles-dir .");
  expect(built.status).toBe(1);
  expect(built.stdout).toContain("FAIL 1 few_rows_fail");
  const reasons = await example.python(`
import duckdb, json
rows = duckdb.connect("customers.duckdb", read_only=True).sql("select id, score, score_error from scored_customers where score is null order by id")
print(json.dumps(rows.fetchall()))`);
  const reason = expect.stringContaining('column "sex"');
  expect(reasons).toEqual([1, 2, 3, 4].map((id) => [id, null, reason]));
});
