import { expect, test } from "vitest";
import { readOnnxOutline } from "../../../../src/model/onnx/onnx-outline.ts";
import { unboundedRun } from "../../../../src/model/repair/unbounded-runs.ts";
import {
  endlessModel,
  loopingModel,
  loopModel,
  swellingModel,
} from "../../../support/models/hanging-models.ts";
import {
  buildModel,
  node,
  storedTensor,
  tensorInfo,
  zipMapClassifier,
} from "../../../support/models/model-builder.ts";

const found = (bytes: Uint8Array) => unboundedRun(readOnnxOutline(bytes).model);

/** `y` is made of `x` by these nodes. */
const made = (nodes: Parameters<typeof buildModel>[0]["nodes"], sizes: readonly bigint[] = [4n, 2n]) =>
  buildModel({
    inputs: [tensorInfo("x", "FLOAT", ["N", 2])],
    outputs: [tensorInfo("y", "FLOAT", [null, null])],
    nodes,
    initializers: [storedTensor("sizes", [sizes.length], BigInt64Array.from(sizes))],
  });

test("a loop whose trips are huge, sent by callers or not told may go on for any time", () => {
  expect(found(endlessModel())).toMatch(/the loop "Loop_y" may go on for any time/);
  expect(found(loopingModel())).toMatch(/any time/);
});

test("a loop of a few trips, or of as many as there are rows, ends", () => {
  expect(found(loopModel([], [storedTensor("trips", [], BigInt64Array.of(50n))]))).toBeUndefined();
  const rows = [node("Shape", ["x"], ["shape"]), node("ReduceMax", ["shape"], ["trips"], { keepdims: 0n })];
  expect(found(loopModel(rows, []))).toBeUndefined();
});

test("a tensor whose size callers send, or is huge in the file, may take any memory", () => {
  expect(found(swellingModel())).toMatch(/the tensor that "ConstantOfShape_y" makes may have any size/);
  expect(found(made([node("Expand", ["x", "sizes"], ["y"])], [1_000_000_000n, 2n]))).toMatch(/any size/);
  const sent = [node("Cast", ["x"], ["wanted"], { to: 7n }), node("Tile", ["x", "wanted"], ["y"])];
  expect(found(made(sent))).toMatch(/any size/);
});

test("sizes from shapes, as networks have them, small ones, and classifiers are bounded", () => {
  const shaped = [node("Shape", ["x"], ["shape"]), node("Expand", ["x", "shape"], ["y"])];
  expect(found(made(shaped))).toBeUndefined();
  expect(found(made([node("Expand", ["x", "sizes"], ["y"])]))).toBeUndefined();
  expect(found(zipMapClassifier(["a", "b", "c"]))).toBeUndefined();
});
