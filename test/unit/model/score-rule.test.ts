import { expect, test } from "vitest";
import { chooseScoreRule } from "../../../src/model/score-rule.ts";
import type { TensorSpec } from "../../../src/model/signature.ts";
import type { Datatype } from "../../../src/tensor/datatype.ts";

function output(name: string, datatype: Datatype, ...shape: number[]): TensorSpec {
  return {
    name,
    datatype,
    shape,
    optional: false,
    featureNames: [],
    labels: [],
    aliases: [],
    rejectNan: false,
  };
}

const label = output("label", "INT64", -1);

test.each([
  [
    "a label beside two classes: the second",
    [label, output("p", "FP32", -1, 2)],
    "",
    ["p", "second-class", "label"],
  ],
  [
    "a label beside more classes: the highest",
    [label, output("p", "FP32", -1, 3)],
    "",
    ["p", "highest-class", "label"],
  ],
  [
    "the label may stand behind",
    [output("p", "FP64", -1, 2), output("l", "BYTES", -1, 1)],
    "",
    ["p", "second-class", "l"],
  ],
  [
    "a label beside one value is no classifier",
    [label, output("s", "FP32", -1, 1)],
    "",
    ["s", "value", undefined],
  ],
  [
    "the first float value",
    [output("a", "FP32", -1), output("b", "FP32", -1, 1)],
    "",
    ["a", "value", undefined],
  ],
  [
    "a matrix without a label: nothing, logits are no probabilities",
    [output("logits", "FP32", -1, 2)],
    "",
    undefined,
  ],
  ["whole numbers only: nothing", [label], "", undefined],
  [
    "the configured output wins",
    [label, output("p", "FP32", -1, 2), output("s", "FP32", -1)],
    "s",
    ["s", "value", undefined],
  ],
  [
    "a configured matrix without a label",
    [output("logits", "FP32", -1, 2)],
    "logits",
    ["logits", "second-class", undefined],
  ],
] as const)("%s", (_, outputs, configured, expected) => {
  const rule = chooseScoreRule(outputs, configured);
  expect(rule === undefined ? undefined : [rule.output, rule.kind, rule.labelOutput]).toEqual(expected);
});
