import { expect, test } from "vitest";
import { wantedModel } from "../../../src/scorer/wanted-model.ts";

test.each([
  ["churn", "churn", undefined],
  ["churn:3", "churn", "3"],
  ["churn:stable", "churn", "stable"],
  ["churn:", "churn:", undefined],
  ["exports/churn.onnx", "exports/churn.onnx", undefined],
  ["C:churn.onnx", "C:churn.onnx", undefined],
])("%s is model %s, version %s", (text, name, version) => {
  expect(wantedModel(text)).toEqual({ name, version });
});
