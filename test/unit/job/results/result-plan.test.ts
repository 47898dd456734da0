import { expect, test } from "vitest";
import { AssayError } from "../../../../src/errors.ts";
import { planResults, resultNames } from "../../../../src/job/results/result-plan.ts";
import { modelMessage, specMessage } from "../../../support/models/model-message.ts";

const x = specMessage("x", "FP32", [-1, 1]);
const kept = (...names: string[]) => names.map((name, vectorIndex) => ({ name, vectorIndex }));
const plainly = { probabilities: false, skipErrors: false };
const classifier = (classes: number, labels: string[], label = specMessage("label", "BYTES", [-1])) =>
  modelMessage([x], {
    outputs: [label, specMessage("p", "FP32", [-1, classes], { labels })],
    scoreOutput: "p",
    labels,
  });

function refused(...parameters: Parameters<typeof planResults>): string {
  try {
    planResults(...parameters);
  } catch (error) {
    expect(error).toBeInstanceOf(AssayError);
    return (error as AssayError).message;
  }
  throw new Error("nothing was refused");
}

test("a model of one value a row gives scores alone", () => {
  const { columns, outputNames } = planResults(modelMessage([x]), kept("id"), plainly);
  expect(columns).toMatchObject({
    hasScore: true,
    hasLabel: false,
    probabilities: [],
    modelVersion: "3",
    keep: kept("id"),
  });
  expect(outputNames).toEqual([]);
  expect(resultNames(columns)).toEqual(["score", "model_version", "score_error"]);
});

test("a classifier gives labels, and the probability of each class when asked", () => {
  expect(planResults(classifier(2, ["no", "yes"]), [], plainly)).toMatchObject({
    columns: { hasLabel: true, probabilities: [] },
    outputNames: [],
  });
  const asked = planResults(classifier(2, ["no", "yes"]), [], { ...plainly, probabilities: true });
  expect(asked.outputNames).toEqual(["p"]);
  expect(resultNames(asked.columns)).toEqual([
    "score",
    "label",
    "probability_no",
    "probability_yes",
    "model_version",
    "score_error",
  ]);
});

test.each([
  ["unknown", [], ["0", "1", "2"]],
  ["of another number", ["a"], ["0", "1", "2"]],
  ["the same but for their case", ["a", "b", "A"], ["0", "1", "2"]],
] as const)("classes whose labels are %s are called by their positions", (_, labels, names) => {
  const { columns } = planResults(classifier(3, [...labels]), [], { ...plainly, probabilities: true });
  expect(columns.probabilities).toEqual(names);
});

test("a number of scores beside a label is no classifier", () => {
  const model = modelMessage([x], {
    outputs: [specMessage("label", "INT64", [-1, 1]), specMessage("scores", "FP32", [-1, 1])],
    scoreOutput: "scores",
  });
  expect(planResults(model, [], plainly).columns.hasLabel).toBe(false);
});

test("the label of the same classifier is a column beside a decision function too", () => {
  const outputs = [specMessage("label", "INT64", [-1]), specMessage("scores", "FP32", [-1, 1])];
  const model = modelMessage([x], { outputs, scoreOutput: "scores", labelOutput: "label" });
  expect(planResults(model, [], plainly)).toMatchObject({
    columns: { hasScore: true, hasLabel: true },
    outputNames: [],
  });
});

test("a model of labels alone gives the label column, and is asked for nothing else", () => {
  const outputs = [specMessage("label", "BYTES", [-1]), specMessage("embedding", "FP32", [-1, 64])];
  const model = modelMessage([x], { outputs, scoreOutput: "", labelOutput: "label" });
  expect(planResults(model, [], plainly)).toMatchObject({
    columns: { hasScore: false, hasLabel: true },
    outputNames: ["label"],
  });
  expect(refused(model, [], { ...plainly, probabilities: true })).toBe(
    '--probabilities: model "census" gives labels only, and no value for each class',
  );
});

test("probabilities are refused where there are none", () => {
  expect(refused(modelMessage([x]), [], { ...plainly, probabilities: true })).toBe(
    '--probabilities: the scores of model "census" come from "y" FP32[-1,1], which has no value for each class',
  );
  expect(refused(classifier(-1, []), [], { ...plainly, probabilities: true })).toContain(
    "no value for each class",
  );
});

test("a model without scores is refused with its outputs", () => {
  const model = modelMessage([x], { outputs: [specMessage("mask", "FP32", [-1, 3, 8, 8])], scoreOutput: "" });
  expect(refused(model, [], plainly)).toBe(
    'model "census" gives no scores: none of its outputs ("mask" FP32[-1,3,8,8]) is one; say which with score_output in its config.json',
  );
});

test("a column kept cannot have the name of a result, in any case", () => {
  expect(refused(modelMessage([x]), kept("id", "Score", "score_error", "label"), plainly)).toBe(
    '--keep: "Score", "score_error" would stand beside a result of that name; rename with sql: (SELECT … AS …)',
  );
});
