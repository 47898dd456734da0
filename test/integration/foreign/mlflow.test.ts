import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { fileServer } from "../../support/servers/tested-servers.ts";
import { IRIS_ROWS, PERSON } from "../../support/tables/example-rows.ts";

const server = await fileServer(fileURLToPath(new URL("../../../models", import.meta.url)));

const NAMES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"];
const COLUMNS = Object.keys(PERSON);
const VALUES: readonly unknown[] = Object.values(PERSON);

interface Body {
  readonly error_code: string;
  readonly message: string;
  readonly scores: readonly number[];
  readonly labels: readonly string[];
  readonly predictions: readonly unknown[];
}

async function post(path: string, body: unknown, type = "application/json", coding?: string) {
  const text = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const response = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": type, ...(coding && { "content-encoding": coding }) },
    body: coding === "gzip" ? gzipSync(text) : text,
  });
  return { status: response.status, body: (await response.json()) as Body };
}

const iris = (body: unknown) => post("/invocations/iris", body);
const census = (body: unknown) => post("/invocations/census", body);
const csv = (model: string, text: string, coding?: string) =>
  post(`/invocations/${model}`, text, "text/csv; charset=utf-8", coding);

const native = await post("/predict/iris", { features: IRIS_ROWS });
const { scores } = (await post("/predict/census", { rows: [PERSON] })).body;
const OF_IRIS = { status: 200, body: { predictions: native.body.scores } };
const OF_PERSON = { status: 200, body: { predictions: scores } };

test.each<[string, unknown]>([
  ["dataframe_split", { dataframe_split: { columns: NAMES, index: [0, 1], data: IRIS_ROWS } }],
  ["dataframe_split without names", { dataframe_split: { data: IRIS_ROWS } }],
  ["dataframe_split with numbered columns", { dataframe_split: { columns: [0, 1, 2, 3], data: IRIS_ROWS } }],
  [
    "dataframe_records",
    { dataframe_records: IRIS_ROWS.map((row) => Object.fromEntries(row.map((v, i) => [NAMES[i], v]))) },
  ],
  ["inputs", { inputs: IRIS_ROWS }],
  ["inputs by name", { inputs: { features: IRIS_ROWS } }],
  ["instances", { instances: IRIS_ROWS, params: { max_tokens: 5 } }],
  ["what pandas writes, alone", { columns: NAMES, index: [0, 1], data: IRIS_ROWS }],
])("%s of a model with one vector is answered with the predictions of /predict", async (_what, body) => {
  expect(await iris(body)).toEqual(OF_IRIS);
});

test.each<[string, unknown]>([
  ["dataframe_split", { dataframe_split: { columns: COLUMNS, data: [VALUES] } }],
  [
    "dataframe_split in another order",
    { dataframe_split: { columns: COLUMNS.toReversed(), data: [VALUES.toReversed()] } },
  ],
  ["dataframe_records", { dataframe_records: [PERSON] }],
  ["inputs", { inputs: Object.fromEntries(COLUMNS.map((name, index) => [name, [VALUES[index]]])) }],
  ["inputs of one row without lists", { inputs: PERSON }],
  ["instances", { instances: [PERSON] }],
  ["what pandas writes as records, alone", [PERSON]],
])("%s of mixed columns is answered with the predictions of /predict", async (_what, body) => {
  expect(await census(body)).toEqual(OF_PERSON);
});

test("CSV is read by the names in its first line, with an index or without, quoted or not", async () => {
  expect(await csv("census", `${COLUMNS.join(",")}\n${VALUES.join(",")}\n`)).toEqual(OF_PERSON);
  const quoted = `\ufeff,${COLUMNS.map((name) => `"${name}"`).join(",")}\r\n0,${VALUES.map((value) => `"${value}"`).join(",")}\r\n\r\n`;
  expect(await csv("census", quoted)).toEqual(OF_PERSON);
  expect(await csv("census", quoted, "gzip")).toEqual(OF_PERSON);
  expect(await csv("iris", `${NAMES.join(",")}\n${IRIS_ROWS.join("\n")}`)).toEqual(OF_IRIS);
  expect(await csv("iris", `0,1,2,3\n${IRIS_ROWS.join("\n")}`)).toEqual(OF_IRIS);
});

test("a CSV that is no UTF-8 is told as a CSV", async () => {
  const text = Buffer.from(
    `${COLUMNS.join(",")}\n${VALUES.join(",").replace("State-gov", "Z\u00fcrich")}`,
    "latin1",
  );
  const { status, body } = await post("/invocations/census", text, "text/csv");
  expect(status).toBe(400);
  expect(body.message).toContain("CSV decode error: the text is not valid UTF-8");
});

test("what is wrong with a CSV is told by line and column, in quotes with a line end too", async () => {
  const bad = [...VALUES];
  bad[0] = "old";
  bad[5] = '"State\ngov"';
  const text = `${COLUMNS.join(",")}\n${bad.join(",")}\n${bad.join(",")}\n1,2\n`;
  const wide = await csv("census", text);
  expect(wide).toMatchObject({ status: 400, body: { error_code: "BAD_REQUEST" } });
  expect(wide.body.message).toContain("line 6: 2 values came; the header has 10 columns");
  const values = await csv("census", text.replace("1,2\n", ""));
  expect(values.body.message).toContain('line 2, column 1 (age): "old" came');
  expect(values.body.message).toContain('line 4, column 1 (age): "old" came');
  const header = await csv("census", `${COLUMNS.join(",").replace("age", "agee")},sex\n`);
  expect(header.body.message).toContain("the CSV: no rows came");
  const names = await csv("census", `${COLUMNS.join(",").replace("age", "agee")}\n${VALUES.join(",")}`);
  expect(names.body.message).toContain(
    'line 1, column 1: the model has no column "agee"; did you mean "age"?',
  );
  expect(names.body.message).toContain('line 1: column "age" (INT64) is missing');
  expect((await csv("census", `${COLUMNS.join(",")}\n"a`)).body.message).toContain(
    "line 2: a text in quotes does not end",
  );
  expect((await csv("iris", IRIS_ROWS.join("\n"))).body.message).toContain(
    "line 1: numbers came; the first line names the columns",
  );
  expect((await csv("iris", "")).body.message).toContain("nothing came");
});

test.each<[string, unknown, string]>([
  [
    "a wrong cell",
    { dataframe_split: { columns: COLUMNS, data: [VALUES, ["old", ...VALUES.slice(1)]] } },
    'dataframe_split.data[1][0]: "old" came; column "age" takes a whole number',
  ],
  [
    "a short row",
    { dataframe_split: { columns: COLUMNS, data: [VALUES, [1]] } },
    "dataframe_split.data[1]: 1 value came; the header has 10 columns",
  ],
  [
    "a name",
    { dataframe_split: { columns: COLUMNS.with(0, "agee"), data: [VALUES] } },
    'dataframe_split.columns[0]: the model has no column "agee"; did you mean "age"?',
  ],
  [
    "a record",
    { dataframe_records: [PERSON, { ...PERSON, sex: 3 }] },
    'dataframe_records[1].sex: 3 came; column "sex" takes a string',
  ],
  [
    "a column",
    { inputs: { ...PERSON, age: [1, "x"] } },
    "inputs.education_num: 1 row came, and 2 in an input before it",
  ],
  ["an element of a column", { inputs: { ...PERSON, age: ["x"] } }, 'inputs.age[0]: "x" came'],
  ["a missing input", { inputs: { age: [1] } }, 'inputs: input "workclass"'],
  ["two forms", { inputs: IRIS_ROWS, instances: IRIS_ROWS }, "inputs and instances came; exactly one of"],
  ["no form", { params: {} }, "none of dataframe_split, dataframe_records, inputs, instances came"],
  ["another member", { dataframe_records: [PERSON], dataframe: 1 }, 'has no member "dataframe"'],
  [
    "another member of the split",
    { dataframe_split: { columns: COLUMNS, rows: [VALUES] } },
    'no member "rows"',
  ],
  ["Python's NaN", '{"inputs": [[NaN]]}', "send null"],
  ["an empty body", "", "nothing came"],
])(
  "%s that is wrong is told where it stands, and the message ends with what the model takes",
  async (_what, wrong, message) => {
    const { status, body } = await census(wrong);
    expect(status).toBe(400);
    expect(Object.keys(body)).toEqual(["error_code", "message"]);
    expect(body.message).toContain(message);
    const example = /This model takes, for example: (.*)$/s.exec(body.message)?.[1];
    expect((await census(example)).status).toBe(200);
  },
);

test("params choose labels or outputs", async () => {
  const labels = await iris({ inputs: IRIS_ROWS, params: { predictions: "labels" } });
  expect(labels.body.predictions).toEqual(native.body.labels);
  const outputs = await iris({ inputs: IRIS_ROWS, params: { predictions: "outputs" } });
  expect(outputs.body.predictions).toHaveLength(2);
});

test("a model has to be named where there are several; one that there is not is 404", async () => {
  const unnamed = await post("/invocations", { inputs: IRIS_ROWS });
  expect(unnamed).toMatchObject({ status: 400, body: { error_code: "BAD_REQUEST" } });
  expect(unnamed.body.message).toContain("the server has census, digits, housing, iris");
  const unknown = await post("/invocations/irs", { inputs: IRIS_ROWS });
  expect(unknown).toMatchObject({ status: 404, body: { error_code: "RESOURCE_DOES_NOT_EXIST" } });
  expect((await post("/invocations/iris/1", { inputs: IRIS_ROWS })).status).toBe(200);
});

test("ping and version answer as MLflow's client reads them", async () => {
  const [ping, version] = await Promise.all(
    ["/ping", "/version"].map(async (path) => {
      const response = await fetch(`${server.url}${path}`);
      return { status: response.status, text: await response.text() };
    }),
  );
  expect(ping).toEqual({ status: 200, text: "\n" });
  expect(version).toMatchObject({ status: 200, text: expect.stringMatching(/^\d+\.\d+/) as string });
});

test("what nobody serves is told in the form of its path", async () => {
  const wrongMethod = await fetch(`${server.url}/invocations/iris`);
  expect([wrongMethod.status, Object.keys((await wrongMethod.json()) as object)]).toEqual([
    405,
    ["error_code", "message"],
  ]);
  const v1 = await post("/v1/model/iris", {});
  expect([v1.status, Object.keys(v1.body)]).toEqual([404, ["error"]]);
});

test("10,000 rows of mixed columns are read in pieces, from JSON and from CSV", async () => {
  const data = Array.from({ length: 5000 }, () => VALUES);
  const { body } = await census({ dataframe_split: { columns: COLUMNS, data } });
  expect(body.predictions).toEqual(data.map(() => scores[0]));
  const text = [COLUMNS, ...data].map((row) => row.join(",")).join("\n");
  expect((await csv("census", text)).body.predictions).toHaveLength(5000);
});
