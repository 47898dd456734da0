import { expect, test } from "vitest";
import { foreignFileReason, misnamedFileReason } from "../../../../src/model/onnx/file-kind.ts";
import { zipMapClassifier } from "../../../support/models/model-builder.ts";

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

test.each([
  ["nothing", "", /empty/],
  ["a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\n", /git lfs pull/],
  ["a download page", "\n\n<html lang=en>", /HTML/],
  ["an XML error", "<?xml version='1.0'?><Error>", /XML/],
  ["a pickle", "\x80\x05\x95", /pickle.*never opened/],
  ["a compressed joblib dump", "\x78\x9c\x01", /pickle.*never opened/],
  ["a .pt file", "PK\x03\x04....archive/data.pkl", /torch\.onnx\.export/],
  ["gzip", "\x1f\x8b\x08", /gunzip/],
  ["Zstandard", "\x28\xb5\x2f\xfd", /Zstandard/],
  ["a Keras file", "\x89HDF\r\n", /tf2onnx/],
  ["TensorFlow Lite", "\x1c\0\0\0TFL3", /Lite/],
  ["ORT format", "\x20\0\0\0ORTM", /ORT format/],
  ["CatBoost's own", "CBM1\x08", /format="onnx"/],
  ["LightGBM's own", "tree\nversion=v4\n", /onnxmltools/],
  ["XGBoost's own", '{"learner":{}}', /onnxmltools/],
])("%s is told from a model by its first bytes", (_, text, pattern) => {
  expect(foreignFileReason(bytes(text))).toMatch(pattern);
});

test("a model is none of these", () => {
  expect(foreignFileReason(zipMapClassifier(["a", "b", "c"]))).toBeUndefined();
});

test.each([
  ["churn.onnx", /expected model\.onnx: rename it/],
  ["model.PKL", /never opened/],
  ["model.joblib", /never opened/],
  ["weights.safetensors", /torch\.onnx\.export/],
  ["saved_model.pb", /tf2onnx/],
  ["model.cbm", /convert/],
])("%s is told by its name", (fileName, pattern) => {
  expect(misnamedFileReason(fileName)).toMatch(pattern);
});

test("other files are not taken for models", () => {
  expect(["README.md", "labels.txt", "config.json"].map(misnamedFileReason)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
