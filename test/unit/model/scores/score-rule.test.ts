import { expect, test } from "vitest";
import { chooseScore } from "../../../../src/model/scores/score-rule.ts";
import type { TensorSpec } from "../../../../src/model/signature.ts";
import { buildModel, node, storedTensor, tensorInfo } from "../../../support/models/model-builder.ts";
import { prepared } from "../../../support/models/prepare.ts";
import { spec } from "../../../support/models/signatures.ts";

const label = spec("label", "INT64", [-1]);
const nothing = { scoreOutput: "", labelOutput: "" };

/** Where the graph tells nothing of the outputs, their shapes have to do. */
test.each<[string, readonly TensorSpec[], Partial<typeof nothing>, readonly (string | undefined)[]]>([
  [
    "a label beside two classes: the second",
    [label, spec("p", "FP32", [-1, 2])],
    {},
    ["p", "second-class", "label"],
  ],
  [
    "a label beside more classes: the highest",
    [label, spec("p", "FP32", [-1, 3])],
    {},
    ["p", "highest-class", "label"],
  ],
  [
    "the label may stand behind",
    [spec("p", "FP64", [-1, 2]), spec("l", "BYTES", [-1, 1])],
    {},
    ["p", "second-class", "l"],
  ],
  [
    "flags and small integers are labels too",
    [spec("l", "BOOL", [-1, 1]), spec("p", "FP32", [-1, 2])],
    {},
    ["p", "second-class", "l"],
  ],
  [
    "a label beside one value is no classifier",
    [label, spec("s", "FP32", [-1, 1])],
    {},
    ["s", "value", undefined],
  ],
  [
    "the only float value",
    [spec("a", "FP32", [-1]), spec("m", "FP32", [-1, 4])],
    {},
    ["a", "value", undefined],
  ],
  [
    "a value beside its standard deviation",
    [spec("GPmean", "FP32", [-1, 1]), spec("GPcovstd", "FP32", [-1])],
    {},
    ["GPmean", "value", undefined],
  ],
  [
    "two values: nothing",
    [spec("a", "FP32", [-1]), spec("b", "FP32", [-1, 1])],
    {},
    [undefined, undefined, undefined],
  ],
  [
    "a matrix without a label: nothing, logits are no probabilities",
    [spec("logits", "FP32", [-1, 2])],
    {},
    [undefined, undefined, undefined],
  ],
  [
    "two labels beside a matrix: nothing",
    [label, spec("id", "BYTES", [-1]), spec("p", "FP32", [-1, 2])],
    {},
    [undefined, undefined, undefined],
  ],
  ["whole numbers only: nothing", [label], {}, [undefined, undefined, undefined]],
  [
    "the configured score wins",
    [label, spec("p", "FP32", [-1, 2]), spec("s", "FP32", [-1])],
    { scoreOutput: "s" },
    ["s", "value", undefined],
  ],
  [
    "a configured matrix without a label",
    [spec("logits", "FP32", [-1, 2])],
    { scoreOutput: "logits" },
    ["logits", "second-class", undefined],
  ],
  [
    "the configured label wins",
    [label, spec("id", "BYTES", [-1]), spec("p", "FP32", [-1, 2])],
    { labelOutput: "label" },
    ["p", "second-class", "label"],
  ],
  [
    "both configured",
    [label, spec("a", "FP32", [-1]), spec("b", "FP32", [-1])],
    { scoreOutput: "b", labelOutput: "label" },
    ["b", "value", "label"],
  ],
])("%s", (_, outputs, asked, expected) => {
  const { score, labelOutput } = chooseScore(outputs, new Map(), { ...nothing, ...asked });
  expect([score?.output, score?.kind, labelOutput]).toEqual(expected);
});

test("says which outputs may each be the score, and how to name one", () => {
  const { notices } = chooseScore(
    [spec("price", "FP32", [-1, 1]), spec("demand", "FP32", [-1, 1])],
    new Map(),
    nothing,
  );
  expect(notices).toEqual([
    'no score: "price" FP32[-1,1] and "demand" FP32[-1,1] may each be it; name the right one with "score_output" in config.json (and its labels with "label_output")',
  ]);
});

test.each([
  [
    "a matrix alone",
    [spec("logits", "FP32", [-1, 3])],
    /^no score: "logits" FP32\[-1,3\]: several numbers a row/,
  ],
  ["whole numbers alone", [spec("count", "INT64", [-1])], /^no score: "count" INT64\[-1\]: one value a row/],
])("%s is no score, and a notice says why", (_, outputs, notice) => {
  const choice = chooseScore(outputs, new Map(), nothing);
  expect(choice).toMatchObject({ score: undefined, labelOutput: undefined });
  expect(choice.notices).toEqual([expect.stringMatching(notice)]);
});

test("texts alone are labels, of which nothing is to be said", () => {
  const choice = chooseScore([spec("label", "BYTES", [-1])], new Map(), nothing);
  expect(choice).toEqual({ score: undefined, labelOutput: "label", notices: [] });
});

test("finds score and label behind thousands of columns that pass through", () => {
  const names = Array.from({ length: 2000 }, (_, index) => `c${index}`);
  const column = (name: string) => tensorInfo(name, "FLOAT", ["N", 1]);
  const bytes = buildModel({
    inputs: names.map(column),
    outputs: [
      ...names.map((name) => column(`${name}.output`)),
      tensorInfo("Features.output", "FLOAT", ["N", 2000]),
      tensorInfo("PredictedLabel.output", "BOOL", ["N", 1]),
      column("Score.output"),
    ],
    nodes: [
      ...names.map((name) => node("Mul", [name, "scale"], [`${name}.output`])),
      node(
        "Concat",
        names.map((name) => `${name}.output`),
        ["Features.output"],
        { axis: 1n },
      ),
      node("MatMul", ["Features.output", "weights"], ["Score.output"]),
      node("Greater", ["Score.output", "zero"], ["PredictedLabel.output"]),
    ],
    initializers: [
      storedTensor("scale", [1], Float32Array.of(2)),
      storedTensor("zero", [1], Float32Array.of(0)),
      storedTensor("weights", [2000, 1], new Float32Array(2000).fill(0.1)),
    ],
  });
  expect(prepared(bytes).signature).toMatchObject({
    score: { output: "Score.output", kind: "value" },
    labelOutput: "PredictedLabel.output",
  });
});
