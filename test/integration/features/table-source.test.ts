import { renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FeatureOrigin_From as From } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { inspect } from "../../../src/cli/inspect.ts";
import { type LoadedMessage, loadScoringClient } from "../../support/clients/grpc-js-client.ts";
import { type CensusPeople, censusPeople } from "../../support/features/census-people.ts";
import { fileFolder } from "../../support/folders.ts";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";
import { query } from "../../support/tables/tables.ts";

const folder = fileFolder();
let people: CensusPeople;
let server: AppServer;

beforeAll(async () => {
  people = await censusPeople(folder, {
    table: { path: join(folder, "people.parquet") },
    cache_ms: 0,
    timeout_ms: 10_000,
  });
  server = await startAppServer(people.models, { "default-model": "census" });
});
afterAll(() => server?.app.close());

async function post(
  path: string,
  body: unknown,
): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

const ids = Array.from({ length: 200 }, (_, index) => index + 1);
const scoresOf = (some: readonly number[]) => some.map((id) => people.scores.get(id));
const rowsOf = (some: readonly number[]) => some.map((id) => people.brought.get(id)!);

test("rows that are looked up score what assay score gives to the table's rows, bit for bit", async () => {
  const all = await post("/predict/census", { rows: rowsOf(ids) });
  expect(all.answer.scores).toEqual(scoresOf(ids));
  const single = await post("/predict/census", rowsOf([7])[0]);
  expect(single.answer.scores).toEqual(scoresOf([7]));
});

test("every form of rows may leave columns out", async () => {
  const some = [3, 1, 3, 9];
  const rows = rowsOf(some);
  const names = Object.keys(rows[0]!);
  const data = rows.map((row) => names.map((name) => row[name]));
  const v1 = await post("/v1/models/census:predict", { instances: rows });
  expect(v1.status).toBe(200);
  const split = await post("/invocations", {
    dataframe_split: { columns: names, data },
    params: { predictions: "scores" },
  });
  expect(split.answer.predictions).toEqual(scoresOf(some));
  const records = await post("/invocations", { dataframe_records: rows, params: { predictions: "scores" } });
  expect(records.answer.predictions).toEqual(scoresOf(some));
  const columns = Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])]));
  const inputs = await post("/invocations", { inputs: columns, params: { predictions: "scores" } });
  expect(inputs.answer.predictions).toEqual(scoresOf(some));
  const connect = await post("/assay.v1.ScoringService/Predict", { modelName: "census", rows });
  expect(connect.answer.scores).toEqual(scoresOf(some));
});

test("tensors of the Open Inference Protocol may leave columns out", async () => {
  const some = [5, 6];
  const rows = rowsOf(some);
  const datatypes: Record<string, string> = {
    person_id: "INT64",
    "hours-per-week": "INT64",
    "capital-loss": "FP32",
  };
  const inputs = Object.keys(rows[0]!).map((name) => ({
    name,
    datatype: datatypes[name] ?? "BYTES",
    shape: [2, 1],
    data: rows.map((row) => row[name]),
  }));
  const { answer } = await post("/v2/models/census/infer", { inputs });
  const outputs = answer.outputs as { name: string; data: number[] }[];
  const probabilities = outputs.find(({ name }) => name === "output_probability")!.data;
  expect([probabilities[1], probabilities[3]].map((one) => Math.fround(one!))).toEqual(
    scoresOf(some).map((one) => Math.fround(one!)),
  );
});

test("streams complete each item, and one bad key never ends them", async () => {
  const client = loadScoringClient(server.address);
  try {
    const stream = client.PredictStream();
    const answers: LoadedMessage[] = [];
    const ended = new Promise((resolve, reject) => {
      stream.on("data", (answer: LoadedMessage) => answers.push(answer));
      stream.on("end", resolve);
      stream.on("error", reject);
    });
    for (const id of [11, 12, 0, 13]) {
      const row = { ...people.brought.get(Math.max(1, id)), person_id: id === 0 ? 999_999 : id };
      stream.write({
        item_id: id,
        request: { model_name: "census", rows: [struct(row)], explain_features: true },
      });
    }
    stream.end();
    await ended;
    expect(answers.map(({ item_id: id, result }) => [id, result])).toEqual([
      ["11", "response"],
      ["12", "response"],
      ["0", "status"],
      ["13", "response"],
    ]);
    const response = answers[3]!.response as {
      scores: number[];
      feature_report: { columns: { from: number[] }[] };
    };
    expect(response.scores).toEqual(scoresOf([13]));
    expect(response.feature_report.columns.map(({ from }) => from)).toEqual(new Array(5).fill([From.STORE]));
  } finally {
    client.close();
  }
});

test("what a row sends wins, and is said with what was looked up", async () => {
  const { answer } = await post("/predict/census", {
    rows: [{ ...people.brought.get(2), age: 20 }],
    explain_features: true,
  });
  const whole = await post("/predict/census", { rows: [{ ...people.whole.get(2), age: 20 }] });
  expect(answer.scores).toEqual(whole.answer.scores);
  const { columns } = answer.feature_report as {
    columns: { column: string; source: string; from: string[] }[];
  };
  expect(columns.map(({ column, source, from }) => [column, source, ...from])).toEqual([
    ["age", "people", "REQUEST"],
    ["workclass", "people", "STORE"],
    ["education_num", "people", "STORE"],
    ["capital_gain", "people", "STORE"],
    ["marital_status", "people", "STORE"],
  ]);
});

test("a key that is not there is told at its row, and counted", async () => {
  const { status, answer } = await post("/predict/census", {
    rows: [people.brought.get(1), { ...people.brought.get(1), person_id: 0 }],
  });
  expect(status).toBe(422);
  expect(answer.detail).toMatchObject([
    { loc: ["body", "rows", 1, "person_id"], msg: /"people" has nothing under this key/ },
  ]);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(
    /assay_feature_rows_total\{model="census",version="1",source="people",result="missing_key"\} [1-9]/,
  );
  expect(metrics).toMatch(
    /assay_feature_age_seconds_count\{model="census",version="1",source="people"\} [1-9]/,
  );
});

test("the model's descriptions say which columns need not be sent", async () => {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
    components: { schemas: Record<string, { title?: string; properties?: object; required?: string[] }> };
  };
  const row = Object.values(document.components.schemas).find(({ title }) => title === "A row of census")!;
  expect(row.properties).toHaveProperty("person_id");
  expect(row.properties).toHaveProperty(
    "age.description",
    expect.stringContaining("Looked up by `person_id`"),
  );
  expect(row.required?.toSorted()).toEqual([
    "capital_loss",
    "hours_per_week",
    "occupation",
    "relationship",
    "sex",
  ]);
  const { answer } = await post("/assay.v1.ModelService/GetModel", { modelName: "census" });
  expect(answer).toHaveProperty("model.config.featureSources.0.keys", ["person_id"]);
  const lines: string[] = [];
  expect(await inspect([join(people.models, "census")], { write: (text: string) => lines.push(text) })).toBe(
    0,
  );
  expect(lines.join("")).toMatch(
    /features +age, workclass.*looked up by person_id where a row leaves them out/,
  );
});

test("a table that changes is read again, and is not used where it cannot be read any more", async () => {
  const other = join(folder, "other.parquet");
  await query(
    `COPY (SELECT * REPLACE (age + 10 AS age) FROM '${people.table}') TO '${other}' (FORMAT parquet)`,
  );
  renameSync(other, people.table);
  const whole = people.whole.get(4)!;
  const older = await post("/predict/census", { rows: [{ ...whole, age: Number(whole.age) + 10 }] });
  const looked = await post("/predict/census", { rows: rowsOf([4]) });
  expect(looked.answer.scores).toEqual(older.answer.scores);
  renameSync(people.table, other);
  const refused = await post("/predict/census", { rows: rowsOf([4]) });
  expect(refused).toMatchObject({ status: 503, answer: { reason: "FEATURES_UNAVAILABLE" } });
  expect((await post("/predict/census", { rows: [whole] })).status).toBe(200);
  expect((await post("/predict/iris", { features: [5.1, 3.5, 1.4, 0.2] })).status).toBe(200);
});

function struct(row: Record<string, unknown>): object {
  const fields = Object.entries(row).map(([name, value]) => [
    name,
    typeof value === "number" ? { numberValue: value } : { stringValue: value },
  ]);
  return { fields: Object.fromEntries(fields) };
}
