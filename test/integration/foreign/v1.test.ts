import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { fileServer } from "../../support/servers/tested-servers.ts";
import { IRIS_ROWS, PERSON } from "../../support/tables/example-rows.ts";

const server = await fileServer(fileURLToPath(new URL("../../../models", import.meta.url)));

interface Body {
  readonly error: string;
  readonly scores: readonly number[];
  readonly labels: readonly string[];
  readonly predictions: readonly unknown[];
  readonly outputs: unknown;
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const isGzip = headers["content-encoding"] === "gzip";
  const response = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: isGzip ? gzipSync(text) : text,
  });
  return { status: response.status, body: (await response.json()) as Body };
}

const iris = (body: unknown, headers?: Record<string, string>) =>
  post("/v1/models/iris:predict", body, headers);
const census = (body: unknown) => post("/v1/models/census:predict", body);

async function get(path: string) {
  const response = await fetch(`${server.url}${path}`);
  return { status: response.status, body: (await response.json()) as unknown };
}

const native = await post("/predict/iris", { features: IRIS_ROWS });
const nativePerson = await post("/predict/census", { rows: [PERSON] });

test.each<[string, string, unknown]>([
  ["a list of values by position", "iris", { instances: IRIS_ROWS }],
  ["the input by its name", "iris", { instances: IRIS_ROWS.map((features) => ({ features })) }],
  [
    "names that the model's file does not tell",
    "iris",
    { instances: IRIS_ROWS.map(([a, b, c, d]) => ({ a, b, c, d })) },
  ],
])("instances, each %s, are answered with the predictions of /predict", async (_what, _model, body) => {
  expect(await iris(body)).toEqual({ status: 200, body: { predictions: native.body.scores } });
});

test.each<[string, unknown]>([
  ["an object of columns", [PERSON]],
  ["a list in the order of the columns", [Object.values(PERSON)]],
  ["columns with values in lists of their own", [{ ...PERSON, age: [39], sex: ["Male"] }]],
  ["columns in base64", [{ ...PERSON, sex: { b64: Buffer.from("Male").toString("base64") } }]],
])("an instance of mixed columns may be %s", async (_what, instances) => {
  expect(await census({ instances, signature_name: "serving_default" })).toEqual({
    status: 200,
    body: { predictions: nativePerson.body.scores },
  });
});

test.each<[string, string, unknown]>([
  ["the one input's tensor", "iris", IRIS_ROWS],
  ["the one input by its name", "iris", { features: IRIS_ROWS }],
])("inputs, as %s, are answered with outputs", async (_what, _model, inputs) => {
  expect(await iris({ inputs })).toEqual({ status: 200, body: { outputs: native.body.scores } });
});

test("columns are joined to rows", async () => {
  const inputs = Object.fromEntries(Object.entries(PERSON).map(([name, value]) => [name, [value, value]]));
  const [score] = nativePerson.body.scores;
  expect(await census({ inputs })).toEqual({ status: 200, body: { outputs: [score, score] } });
  const nested = Object.fromEntries(Object.entries(PERSON).map(([name, value]) => [name, [[value]]]));
  expect((await census({ inputs: nested })).body).toEqual({ outputs: [score] });
});

test("a signature chooses labels or all outputs", async () => {
  const labels = await iris({ instances: IRIS_ROWS, signature_name: "labels" });
  expect(labels.body.predictions).toEqual(native.body.labels);
  const { body } = await iris({ instances: IRIS_ROWS, signature_name: "outputs" });
  expect(body.predictions).toHaveLength(2);
  expect(Object.keys(body.predictions[0] as object).sort()).toEqual(["label", "probabilities"]);
});

test("a version in the path, a compressed body, no content type: all the same", async () => {
  const expected = { status: 200, body: { predictions: native.body.scores } };
  expect(await post("/v1/models/iris/versions/1:predict", { instances: IRIS_ROWS })).toEqual(expected);
  expect(await post("/v1/models/iris%3Apredict", { instances: IRIS_ROWS })).toEqual(expected);
  expect(await iris({ instances: IRIS_ROWS }, { "content-encoding": "gzip" })).toEqual(expected);
  const form = { "content-type": "application/x-www-form-urlencoded" };
  expect(await iris({ instances: IRIS_ROWS }, form)).toEqual(expected);
});

test("everything that is wrong is told at once, where it stands in the body", async () => {
  const { age: _, ...rest } = PERSON;
  const { status, body } = await census({ instances: [PERSON, rest, { ...PERSON, sexx: 1, age: "old" }] });
  expect(status).toBe(400);
  expect(Object.keys(body)).toEqual(["error"]);
  expect(body.error).toContain('instances[1].age: column "age" (INT64) is missing');
  expect(body.error).toContain('instances[2].age: "old" came');
  expect(body.error).toContain('instances[2].sexx: the model has no column "sexx"; did you mean "sex"?');
});

test.each<[string, unknown, string]>([
  ["a wrong value", { instances: [[1, 2, 3, "x"]] }, 'instances[0][3]: "x" came'],
  [
    "a ragged row",
    {
      instances: [
        [1, 2, 3, 4],
        [1, 2],
      ],
    },
    "instances[1]: 2 values came; a list of 4",
  ],
  ["a mixture", { instances: [[1, 2, 3, 4], { a: 1 }] }, "instances[1]: an object came; a list of 4"],
  ["no rows", { instances: [] }, "instances: no rows came"],
  ["no list", { instances: 5 }, "instances: 5 came; a list with an item for each row is expected"],
  ["both forms", { instances: IRIS_ROWS, inputs: IRIS_ROWS }, "send rows as instances, or columns as inputs"],
  ["neither form", { signature_name: "" }, "no instances came"],
  ["another member", { instances: IRIS_ROWS, signature: "x" }, 'did you mean "signature_name"?'],
  ["another signature", { instances: IRIS_ROWS, signature_name: "predict" }, "there are 4 signatures"],
  ["no object", IRIS_ROWS, "a list of 2 came; an object"],
  ["Python's NaN", '{"instances": [[NaN, 1, 2, 3]]}', "send null"],
  ["a column that is too short", { inputs: { features: IRIS_ROWS, other: [1] } }, "other"],
])("%s is refused, and the error ends with what the model takes", async (_what, wrong, message) => {
  const { status, body } = await iris(wrong);
  expect(status).toBe(400);
  expect(body.error).toContain(message);
  const example = /This model takes, for example: (.*)$/.exec(body.error)?.[1];
  expect((await iris(example)).status).toBe(200);
});

test("a model of which there is none is 404, and so is a version", async () => {
  expect(await post("/v1/models/irs:predict", { instances: IRIS_ROWS })).toMatchObject({
    status: 404,
    body: { error: expect.stringContaining('did you mean "iris"?') },
  });
  expect((await post("/v1/models/iris/versions/7:predict", { instances: IRIS_ROWS })).status).toBe(404);
  expect((await get("/v1/models/irs")).status).toBe(404);
});

test("models are listed, and one is told to be ready as KServe's and TensorFlow Serving's clients read it", async () => {
  expect(await get("/v1/models")).toEqual({
    status: 200,
    body: { models: ["census", "digits", "housing", "iris"] },
  });
  const status = {
    status: 200,
    body: {
      name: "iris",
      ready: true,
      model_version_status: [
        { version: "1", state: "AVAILABLE", status: { error_code: "OK", error_message: "" } },
      ],
    },
  };
  expect(await get("/v1/models/iris")).toEqual(status);
  expect(await get("/v1/models/iris/versions/1")).toEqual(status);
  expect(await post("/v1/models/iris:explain", {})).toMatchObject({
    body: { error: "models take :predict here, and no :explain" },
  });
});

test("thousands of rows are read and answered in pieces; more than the queue takes are refused as on /predict", async () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => IRIS_ROWS[index % 2]!);
  const { body } = await iris({ instances: many(6000) });
  expect(body.predictions).toEqual(many(6000).map((row) => native.body.scores[IRIS_ROWS.indexOf(row)]));
  const tooMany = await post("/predict/iris", { features: many(30_000) });
  expect(await iris({ instances: many(30_000) })).toMatchObject({ status: tooMany.status });
  expect(tooMany.status).toBe(413);
  const people = Array.from({ length: 3000 }, () => PERSON);
  expect((await census({ instances: people })).body.predictions).toHaveLength(3000);
});
