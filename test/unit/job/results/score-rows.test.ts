import { afterEach, expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../../../src/errors.ts";
import { planResults } from "../../../../src/job/results/result-plan.ts";
import { scoreRows } from "../../../../src/job/results/score-rows.ts";
import { exportedModel, readExportCase } from "../../../support/models/exports.ts";
import { lookupModel, sumModel, type TestModel } from "../../../support/models/onnx-model.ts";
import { type InProcessScorer, startScorer } from "../../../support/servers/in-process-scorer.ts";
import { encoderOf, mapped } from "../../../support/tables/row-encoding.ts";
import { queryChunks, requestSql } from "../../../support/tables/table-chunks.ts";
import { dataFile } from "../../../support/tables/tables.ts";

let scorer: InProcessScorer | undefined;
afterEach(async () => {
  await scorer?.close();
  scorer = undefined;
});

/** The sum of three floats a row as its score. */
function sumOfThree(): TestModel {
  const model = sumModel(3);
  return { ...model, signature: { ...model.signature, score: scoreFrom("y") } };
}

const scoreFrom = (output: string) => ({ output, kind: "value" as const, labelOutput: undefined });

function rejectingNan(model: TestModel): TestModel {
  const inputs = model.signature.inputs.map((input) => ({ ...input, rejectNan: true }));
  return { ...model, signature: { ...model.signature, inputs } };
}

function lookUp(): TestModel {
  const model = lookupModel();
  return { ...model, signature: { ...model.signature, score: scoreFrom("value") } };
}

/** Scores the one chunk of a query. */
async function score(
  model: TestModel,
  sql: string,
  more: { byPosition?: boolean; probabilities?: boolean } = {},
) {
  scorer = await startScorer(model);
  const { columns, chunks } = await queryChunks(sql);
  const byPosition = more.byPosition ?? false;
  const mapping = mapped(scorer.model, columns, { byPosition, joinColumns: true });
  const plan = planResults(scorer.model, mapping.keep, {
    probabilities: more.probabilities ?? false,
    skipErrors: false,
  });
  const read = await queryChunks(`SELECT ${requestSql(mapping.requests)} FROM (${sql})`);
  expect([chunks.length, read.chunks.length]).toEqual([1, 1]);
  const { modelName, modelVersion } = scorer.model;
  const { outputNames } = plan;
  const encoder = encoderOf(mapping, { modelName, modelVersion, outputNames, trimText: true });
  const results = await scoreRows(encoder.encode(read.chunks[0]!), scorer, plan);
  return { plan, results, scores: [...results.scores], requestRows: scorer.requestRows };
}

test("every row gets its score in one request", async () => {
  const sql = "SELECT i::FLOAT a, 1::FLOAT b, 2::FLOAT c FROM range(2000) t(i)";
  const { scores, results, requestRows } = await score(sumOfThree(), sql, { byPosition: true });
  expect(scores).toEqual(Array.from({ length: 2000 }, (_, i) => i + 3));
  expect(results).toMatchObject({ rowCount: 2000, labels: [], errors: new Map() });
  expect(requestRows).toEqual([2000]);
});

test("rows that the model's rules refuse are taken out with their column, the rest is scored", async () => {
  const sql = `SELECT i::FLOAT a, CASE WHEN i IN (3, 7) THEN 'inf'::FLOAT ELSE 0 END b,
    CASE WHEN i = 7 THEN '-inf'::FLOAT ELSE 0 END c FROM range(10) t(i)`;
  const { scores, results, requestRows } = await score(sumOfThree(), sql, { byPosition: true });
  expect(scores).toEqual([0, 1, 2, Number.NaN, 4, 5, 6, Number.NaN, 8, 9]);
  expect(Object.fromEntries(results.errors)).toEqual({
    3: 'column "b": Infinity came; a finite number is expected',
    7: 'column "b": Infinity came; a finite number is expected; column "c": -Infinity came; a finite number is expected',
  });
  expect(requestRows).toEqual([10, 8]);
});

test("rows refused by the encoder and by the model keep their places", async () => {
  const sql = `SELECT * FROM (VALUES ('1', 1::FLOAT, 1::FLOAT), ('q', 1, 1), ('2', 'inf', 1), ('3', 1, 1)) t(a, b, c)`;
  const { scores, results } = await score(sumOfThree(), sql, { byPosition: true });
  expect(scores).toEqual([3, Number.NaN, Number.NaN, 5]);
  expect([...results.errors.keys()].sort()).toEqual([1, 2]);
});

test("a chunk full of refused values is refused once, not once for each part of the list", async () => {
  const sql = `SELECT CASE WHEN i % 10 = 0 THEN 1 ELSE NULL END::FLOAT a, NULL::FLOAT b2, 2::FLOAT c FROM range(2048) t(i)`;
  const nan = await score(rejectingNan(sumOfThree()), sql, { byPosition: true });
  expect(nan.results.errors.size).toBe(2048);
  expect(nan.results.errors.get(1)).toBe(
    'column "a": NaN came; this input takes no missing values (nan: REJECT); column "b2": NaN came; this input takes no missing values (nan: REJECT)',
  );
  expect(nan.requestRows).toEqual([2048]);
});

test("a row that the model fails on is found by halving, and no other row suffers", async () => {
  const sql = "SELECT CASE WHEN i IN (5, 70) THEN 99 ELSE i % 10 END::BIGINT AS index FROM range(100) t(i)";
  const { scores, results } = await score(lookUp(), sql);
  expect(scores).toEqual(Array.from({ length: 100 }, (_, i) => (i === 5 || i === 70 ? Number.NaN : i % 10)));
  expect([...results.errors.keys()]).toEqual([5, 70]);
  expect(results.errors.get(5)).toMatch(/^the model cannot take these rows: .*idx=/);
});

test("an error that concerns no row rejects", async () => {
  const model = sumOfThree();
  const started = score({ ...model, modelVersion: "1" }, "SELECT 1::FLOAT a, 2::FLOAT b, 3::FLOAT c", {
    byPosition: true,
  });
  await expect(started).resolves.toBeDefined();
  const { columns, chunks } = await queryChunks("SELECT 1::FLOAT a, 2::FLOAT b, 3::FLOAT c");
  const mapping = mapped(scorer!.model, columns, { byPosition: true, textNumbers: false });
  const plan = planResults(scorer!.model, [], { probabilities: false, skipErrors: false });
  const encode = (modelName: string, tensors = mapping.tensors) =>
    encoderOf({ ...mapping, tensors }, { modelName, modelVersion: "1" }).encode(chunks[0]!);
  const unknown = scoreRows(encode("other"), scorer!, plan);
  await expect(unknown).rejects.toMatchObject({ reason: Reason.MODEL_NOT_FOUND });
  // The shape is wrong for every row: no row is named, and nothing is sent again.
  const misshaped = scoreRows(
    encode(
      "sum",
      mapping.tensors.map((tensor) => ({ ...tensor, tailShape: [1, 3] })),
    ),
    scorer!,
    plan,
  );
  await expect(misshaped).rejects.toMatchObject({ reason: Reason.INVALID_REQUEST });
  await expect(misshaped).rejects.toBeInstanceOf(AssayError);
});

test("census rows from text with spaces give the labels and probabilities of the training library", async () => {
  const wanted = readExportCase("census-rf.json");
  const sql = `SELECT * FROM read_csv('${dataFile("adult-train.csv")}', header = false, all_varchar = true,
      names = ['age','workclass','fnlwgt','education','education-num','marital-status','occupation','relationship','race','sex',
      'capital-gain','capital-loss','hours-per-week','native-country','income']) LIMIT 21`;
  const { results, plan } = await score(await exportedModel("census-rf"), sql, { probabilities: true });
  expect(plan.columns).toMatchObject({ hasLabel: true, probabilities: ["<=50K", ">50K"] });
  expect(results.errors.size).toBe(0);
  const labels = wanted.outputs.find(({ name }) => name === "output_label")!.data;
  const probabilities = wanted.outputs.find(({ name }) => name === "output_probability")!.data;
  // The case has rows 0, 4, 7, 8, 9 and 20 of the same file.
  for (const [i, row] of [0, 4, 7, 8, 9, 20].entries()) {
    expect(results.labels[row]).toBe(labels[i]);
    expect(results.scores[row]).toBeCloseTo(probabilities[2 * i + 1] as number, 4);
    expect(results.probabilities[2 * row]).toBeCloseTo(probabilities[2 * i] as number, 4);
    expect(results.probabilities[2 * row + 1]).toBeCloseTo(probabilities[2 * i + 1] as number, 4);
  }
});

test.each([
  ["bank-lgbm", ["0", "1"], "bank.csv", "age, balance, day, duration, campaign, pdays, previous"],
  ["housing-lgbm", [], "housing.csv", "longitude, latitude, housing_median_age, total_rooms, median_income"],
] as const)("%s scores its columns of a real file by position", async (name, classes, file, columns) => {
  const sql = `SELECT ${columns} FROM read_csv('${dataFile(file)}', all_varchar = true) LIMIT 1000`;
  const { results, plan, scores } = await score(await exportedModel(name), sql, {
    byPosition: true,
    probabilities: classes.length > 0,
  });
  expect(plan.columns).toMatchObject({ hasLabel: classes.length > 0, probabilities: classes });
  expect(results.errors.size).toBe(0);
  expect(scores.every(Number.isFinite)).toBe(true);
  expect(new Set(scores).size).toBeGreaterThan(100);
  for (let row = 0; classes.length > 0 && row < 1000; row++) {
    expect(results.probabilities[2 * row]! + results.probabilities[2 * row + 1]!).toBeCloseTo(1, 4);
    expect(results.scores[row]).toBe(results.probabilities[2 * row + 1]);
    expect(results.labels[row]).toBe(results.scores[row]! > 0.5 ? "1" : "0");
  }
});
