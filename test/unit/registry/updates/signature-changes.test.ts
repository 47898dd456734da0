import { expect, test } from "vitest";
import { signatureChanges } from "../../../../src/registry/updates/signature-changes.ts";
import { signature, spec } from "../../../support/models/signatures.ts";

const before = signature([
  spec("age", "INT64", [-1, 1]),
  spec("x", "FP32", [-1, 2], { featureNames: ["a", "b"] }),
]);

test("a signature that callers notice nothing of has no changes", () => {
  expect(signatureChanges(before, { ...before, batching: "single-rows" })).toEqual([]);
});

test("inputs and outputs that go, come, or are of another kind are told with both", () => {
  const after = signature([spec("age", "FP32", [-1, 1], { optional: true }), spec("sex", "BYTES", [-1, 1])], {
    outputs: [spec("p", "FP32", [-1, 2])],
    score: undefined,
    labels: ["no", "yes"],
  });
  expect(signatureChanges(before, after)).toEqual([
    'input "x" has gone',
    'input "age" is FP32[?,1], optional, INT64[?,1] before',
    'input "sex" is new: BYTES[?,1]',
    'output "y" has gone',
    'output "p" is new: FP32[?,2]',
    "scores are read from none, y before",
    "labels are no, yes, none before",
  ]);
});

test("columns in another order are told", () => {
  const x = spec("x", "FP32", [-1, 2], { featureNames: ["b", "a"] });
  expect(signatureChanges(before, { ...before, inputs: [before.inputs[0]!, x] })).toEqual([
    'input "x" has other columns or another order of them',
  ]);
});

test("of many changes the first are told, and how many more there are", () => {
  const inputs = Array.from({ length: 20 }, (_, index) => spec(`c${index}`, "FP32", [-1, 1]));
  expect(signatureChanges(before, signature(inputs)).at(-1)).toBe("and 14 more");
});
