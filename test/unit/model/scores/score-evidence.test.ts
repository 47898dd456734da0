import { describe, expect, test } from "vitest";
import type {
  DecisionFacts,
  OutputOrigin,
  OutputOrigins,
} from "../../../../src/model/scores/output-origins.ts";
import { holdAgainstRows, labelNames, unitOutputs } from "../../../../src/model/scores/score-evidence.ts";
import type { TensorData } from "../../../../src/tensor/tensor-data.ts";
import { spec } from "../../../support/models/signatures.ts";

const classes = ["no", "yes"];
const decision: DecisionFacts = {
  key: "d",
  kind: "classifier",
  classes,
  firstPosition: undefined,
  isLoose: false,
};
const origin = (more: Partial<OutputOrigin>): OutputOrigin => ({
  kind: "model",
  base: "",
  probability: 1,
  decision: undefined,
  nearness: new Map(),
  sources: new Set(),
  svmPairs: false,
  ...more,
});
const origins = (facts: DecisionFacts | undefined): OutputOrigins =>
  new Map([
    ["label", origin({ decision: facts })],
    ["p", origin({})],
  ]);
const labels = (...data: string[]): TensorData => ({
  name: "label",
  datatype: "BYTES",
  shape: [data.length],
  data,
});
const matrix = (width: number, ...data: number[]): TensorData => ({
  name: "p",
  datatype: "FP32",
  shape: [data.length / width, width],
  data: Float32Array.from(data),
});
const outputs = (width: number) => [spec("label", "BYTES", [-1]), spec("p", "FP32", [-1, width])];
const second = { score: { output: "p", kind: "second-class" as const }, labelOutput: "label", notices: [] };
const highest = { score: { output: "p", kind: "highest-class" as const }, labelOutput: "label", notices: [] };

describe("a choice held against rows that ran", () => {
  test("stays where the second column grows with the second class", () => {
    const rows = [labels("no", "yes"), matrix(2, 0.8, 0.2, 0.3, 0.7)];
    expect(holdAgainstRows(second, outputs(2), origins(decision), rows)).toBe(second);
  });

  test("stays where a threshold of its own makes the label", () => {
    const rows = [labels("no", "yes"), matrix(2, 0.4, 0.6, 0.2, 0.8)];
    expect(holdAgainstRows(second, outputs(2), origins({ ...decision, kind: "threshold" }), rows)).toBe(
      second,
    );
  });

  test.each([
    ["both classes came", ["no", "yes"], [-2, 2, 1, -1]],
    ["one class came", ["no", "no"], [-2, 2, -1, 1]],
  ])("turns columns round that are each other's negative, where %s", (_, texts, values) => {
    const rows = [labels(...texts), matrix(2, ...values)];
    const { score, notices } = holdAgainstRows(second, outputs(2), origins(decision), rows);
    expect(score).toEqual({ output: "p", kind: "second-class", column: 0 });
    expect(notices).toEqual([]);
  });

  test.each([
    ["that falls with the second class and has no mirror", second, 2, [5, 2, 0, 1]],
    ["whose highest column is another class", highest, 3, [3, 1, 0, 1, 0, 3]],
  ] as const)("makes a score none %s", (_, choice, width, values) => {
    const facts = { ...decision, kind: "highest" as const, classes: ["no", "yes", "maybe"].slice(0, width) };
    const rows = [labels("no", "yes"), matrix(width, ...values)];
    const { score, labelOutput, notices } = holdAgainstRows(choice, outputs(width), origins(facts), rows);
    expect([score, labelOutput]).toEqual([undefined, "label"]);
    expect(notices).toEqual([
      expect.stringMatching(/output "p" contradicts the labels in "label".*score_output/),
    ]);
  });

  test("stays for an SVM's probabilities, which the library itself estimates apart from its labels", () => {
    const rows = [labels("no", "yes"), matrix(2, 0.2, 0.8, 0.3, 0.7)];
    const loose: OutputOrigins = new Map([
      ["label", origin({ decision: { ...decision, isLoose: true } })],
      ["p", origin({ probability: 2 })],
    ]);
    expect(holdAgainstRows(second, outputs(2), loose, rows)).toBe(second);
  });

  test("a pair whose origin the graph hides is none as soon as one row contradicts", () => {
    const rows = [labels("a", "b", "a"), matrix(3, 3, 1, 0, 0, 3, 1, 0, 5, 1)];
    expect(holdAgainstRows(highest, outputs(3), origins(undefined), rows).score).toBeUndefined();
  });
});

test("probabilities are told from raw values by whether all lie between 0 and 1", () => {
  const raw = { ...matrix(1, -2, 0.5), name: "raw" };
  expect([...unitOutputs([labels("a"), matrix(1, 0, 1), raw])]).toEqual([
    ["p", true],
    ["raw", false],
  ]);
});

test.each([
  ["the same numbers in another form", ["0", "1"], ["0.0", "1.0"], { "0": "0.0", "1": "1.0" }],
  ["the same texts", ["0", "1"], ["0", "1"], undefined],
  ["other classes", ["0", "1"], ["no", "yes"], undefined],
] as const)("columns rename the classes of a label only where they are %s", (_, classes, to, expected) => {
  const names = labelNames({ classes }, to);
  expect(names === undefined ? undefined : Object.fromEntries(names)).toEqual(expected);
});

test.each([
  ["classes", [], { "0": "1", "1": "2" }],
  ["columns", ["1.0", "2.0"], { "0": "1.0", "1": "2.0" }],
] as const)("a position that comes instead of a class has the name of the %s", (_, to, expected) => {
  const names = labelNames({ classes: ["1", "2"], givesPositions: true }, to);
  expect(Object.fromEntries(names!)).toEqual(expected);
});

test("a score is held against the classes that positions stand for", () => {
  const facts = { ...decision, classes: ["5", "9"], givesPositions: true };
  const rows = [
    { ...labels(), datatype: "INT64" as const, shape: [2], data: BigInt64Array.of(0n, 1n) },
    matrix(2, 0.9, 0.1, 0.2, 0.8),
  ];
  const score = { output: "p", kind: "second-class" } as const;
  const choice = { score, labelOutput: "label", notices: [] };
  const outputs = [spec("label", "INT64", [-1]), spec("p", "FP32", [-1, 2])];
  expect(holdAgainstRows(choice, outputs, origins(facts), rows)).toEqual(choice);
});
