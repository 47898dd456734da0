import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exampleRepository } from "../../support/folders.ts";
import { type ServerProcess, startServerProcess } from "../../support/servers/server-process.ts";
import { exampleOf } from "./example.ts";

const SETTINGS = 'export AIRFLOW_HOME="$PWD" AIRFLOW__CORE__LOAD_EXAMPLES=False';
/** The days' files and summaries, and the largest distance from what the server says of the same rows by itself. */
const WRITTEN = `
import glob, json, os
import assay, pyarrow.compute as pc, pyarrow.parquet as pq
client = assay.Client(os.environ["ASSAY_URL"])
def read(path):
    table = pq.read_table(path)
    whole = table.filter(pc.is_null(table["score_error"]))
    truth = client.predict("census", whole.select(table.column_names[:-4]))
    return {
        "scored": whole.num_rows,
        "alike": whole["label"].to_pylist() == truth.labels and max(abs(a - b) for a, b in zip(whole["score"].to_pylist(), truth.scores)) < 1e-6,
        "reasons": sorted(set(table["score_error"].drop_null().to_pylist())),
        **json.load(open(path.replace(".parquet", ".json"))),
    }
print(json.dumps({"days": [read(path) for path in sorted(glob.glob("scores/*.parquet"))], "files": len(os.listdir("scores"))}))`;
const LONG_MS = 240_000;
let server: ServerProcess;
const models = exampleRepository("census");
const example = exampleOf("airflow", () => server.url);
const good = (day: string) => ({
  day,
  rows: 60,
  failed: 0,
  scored: 60,
  alike: true,
  reasons: [],
  model_version: "1",
});

beforeAll(async () => {
  server = await startServerProcess(models);
  const installed = await example.follow("install");
  expect(installed, installed.stderr).toMatchObject({ status: 0 });
  expect(installed.stdout).toContain("Successfully installed assay-client-");
});
afterAll(() => server.terminate());

test(
  "a DAG of Airflow scores its days, and a day that is run again is scored anew",
  async () => {
    const ran = await example.follow("run");
    expect(ran, ran.stderr.slice(-3000)).toMatchObject({ status: 0 });
    const days = { days: [good("2024-01-01"), good("2024-01-02")], files: 4 };
    expect(await example.python(WRITTEN)).toEqual(days);
    const again = await example.shell(`${SETTINGS}; airflow dags test score_customers 2024-01-01`);
    expect(again, again.stderr.slice(-3000)).toMatchObject({ status: 0 });
    expect(await example.python(WRITTEN)).toEqual(days);
  },
  LONG_MS,
);

test(
  "a day whose rows fail more often than those before it fails the check, and the reasons stand in its file",
  async () => {
    const ran = await example.shell(`${SETTINGS}; airflow dags test score_customers 2024-01-03`);
    expect(ran.status).toBe(1);
    // Airflow breaks its lines at the width of a terminal, and marks numbers in them, where it takes the output for one: in CI.
    expect(stripVTControlCharacters(ran.stdout + ran.stderr).replaceAll(/\s+/g, " ")).toContain(
      "12 of 60 rows of 2024-01-03 have no score (20.0%); of the 2 days before it was 0.0%",
    );
    const { days } = (await example.python(WRITTEN)) as { days: { reasons: string[] }[] };
    const reasons = [expect.stringContaining('column "education_num"')];
    expect(days[2]).toEqual({ ...good("2024-01-03"), failed: 12, scored: 48, reasons });
  },
  LONG_MS,
);
