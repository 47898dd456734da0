import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { fileServer } from "../../support/servers/tested-servers.ts";
import { IRIS_ROWS, PERSON } from "../../support/tables/example-rows.ts";

const server = await fileServer(fileURLToPath(new URL("../../../models", import.meta.url)));

interface Body {
  readonly scores: readonly number[];
  readonly labels: readonly string[];
  readonly message: string;
  readonly detail: readonly { readonly loc: readonly (string | number)[]; readonly msg: string }[];
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

test("many rows of features are answered with a score each, as one row by itself is", async () => {
  const singles = await Promise.all(IRIS_ROWS.map((features) => post("/predict/iris", { features })));
  const { status, body } = await post("/predict/iris", { features: IRIS_ROWS });
  expect(status).toBe(200);
  expect(body.scores).toEqual(singles.map((single) => single.body.scores[0]));
  expect(body.labels).toEqual(singles.map((single) => single.body.labels[0]));
});

test("a bare row is scored as the same row in rows, with members of the request beside it", async () => {
  const inRows = await post("/predict", { model_name: "census", rows: [PERSON] });
  const bare = await post("/predict", { model_name: "census", request_id: "r1", ...PERSON });
  expect(bare).toMatchObject({ status: 200, body: { scores: inRows.body.scores, request_id: "r1" } });
  expect(inRows.body.scores).toHaveLength(1);
});

test("all forms are read from compressed bodies too", async () => {
  const gzip = { "content-encoding": "gzip" };
  expect((await post("/predict/iris", { features: IRIS_ROWS }, gzip)).body.scores).toHaveLength(2);
  expect((await post("/predict/census", PERSON, gzip)).body.scores).toHaveLength(1);
});

test("the path may name the version, and the body no other one", async () => {
  expect((await post("/predict/iris/1", { features: IRIS_ROWS[0] })).body).toMatchObject({
    model_version: "1",
  });
  expect((await post("/predict/iris/9", { features: IRIS_ROWS[0] })).status).toBe(404);
  const other = await post("/predict/iris/1", { features: IRIS_ROWS[0], model_version: "2" });
  expect(other).toMatchObject({ status: 422, body: { detail: [{ loc: ["body", "model_version"] }] } });
});

test("every value of a matrix that is wrong is told at once, where it stands", async () => {
  const { status, body } = await post("/predict/iris", {
    features: [[1, 2, 3, "x"], [1, 2], 5, [1, 2, 3, null]],
  });
  expect(status).toBe(422);
  expect(body.detail.map(({ loc }) => loc)).toEqual([
    ["body", "features", 0, 3],
    ["body", "features", 1],
    ["body", "features", 2],
  ]);
  expect(body.detail[0]!.msg).toContain('"x" came; a number, or null where it is missing, is expected');
  expect(body.detail[1]!.msg).toContain("2 values came; a list of 4");
});

test("a matrix of 30,000 rows is read in pieces, and its last value is looked at like its first", async () => {
  const rows = Array.from({ length: 30_000 }, () => [...IRIS_ROWS[0]!]);
  rows[29_999]![3] = "x" as unknown as number;
  const { body } = await post("/predict/iris", { features: rows });
  expect(body.detail[0]!.loc).toEqual(["body", "features", 29_999, 3]);
});

test("a column of a bare row that is wrong is told without rows[0]", async () => {
  const { age: _, ...rest } = PERSON;
  const { body } = await post("/predict/census", { ...rest, sexx: "Male", workclass: 3 });
  const at = Object.fromEntries(body.detail.map(({ loc, msg }) => [loc.join("."), msg]));
  expect(Object.keys(at).sort()).toEqual(["body.age", "body.sexx", "body.workclass"]);
  expect(at["body.sexx"]).toContain('did you mean "sex"?');
});

test.each([
  ["a wrong column", { rows: [{ ...PERSON, colour: "red" }] }],
  ["a list", [1, 2]],
  ["no JSON", "{"],
  ["an empty body", ""],
  ["no rows at all", {}],
  ["a misspelt member", { rows: [PERSON], model_versoin: "1" }],
])("after %s the last message ends with what the model takes, which it takes", async (_what, body) => {
  const refused = await post("/predict/census", body);
  expect(refused.status).toBe(422);
  const { msg } = refused.body.detail.at(-1)!;
  const example = /This model takes, for example: (.*)$/.exec(msg)?.[1];
  expect((await post("/predict/census", example)).status).toBe(200);
});

test("Connect's JSON is told the same, with the nearest name of a member", async () => {
  const path = "/assay.v1.ScoringService/Predict";
  const refused = await post(path, { modelName: "iris", features: IRIS_ROWS[0], model_versoin: "1" });
  expect(refused.status).toBe(400);
  expect(refused.body.message).toContain('did you mean "model_version"?');
  const example = /This model takes, for example: (.*)$/.exec(refused.body.message)?.[1];
  const again = await post(path, { modelName: "iris", ...JSON.parse(example!) });
  expect(again.status).toBe(200);
});

test("Python's NaN is told to send null, and null is a missing value in features", async () => {
  const refused = await post("/predict/iris", '{"features": [NaN, 1, 2, 3]}');
  expect(refused.body.detail[0]!.msg).toContain("send null");
  const missing = await post("/predict/housing", { features: [null] });
  expect(missing.body.detail[0]!.msg).not.toContain("null came");
});
