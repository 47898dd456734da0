import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../../../src/errors.ts";
import { toldRunError } from "../../../../src/service/answer/run-refusal.ts";
import { signature, spec } from "../../../support/models/signatures.ts";

const fixed = signature([spec("x", "FP32", [-1, 4])]);
const open = signature([spec("ids", "INT64", [-1, -1]), spec("mask", "INT64", [-1, -1])]);
const inputs = [{ name: "x", datatype: "FP32" as const, tailShape: [4] }];

function told(text: string, model = fixed): AssayError {
  const error = new AssayError(Reason.RUN_FAILED, `the model failed on these rows: ${text}`);
  return toldRunError(error, { modelName: "m", modelVersion: "3", signature: model, rowCount: 2, inputs });
}

/** As ONNX Runtime 1.30 writes them, after the worker took out its source places. */
const NODE = "Non-zero status code returned while running";
test.each([
  [
    `${NODE} Gather node. Name:'g' Status Message: indices element out of data bounds, idx=99 must be within the inclusive range [-10,9]`,
    "token id",
  ],
  [
    `${NODE} GatherElements node. Name:'g' Status Message: GatherElements op: Out of range value in index tensor`,
    "token id",
  ],
  [`${NODE} GatherND node. Name:'g' Status Message: invalid index found, index = 99`, "token id"],
  [`${NODE} ScatterND node. Name:'g' Status Message: invalid indice found, indice = 99`, "token id"],
  [
    `${NODE} ArrayFeatureExtractor node. Name:'g' Status Message: Invalid Y argument: index is out of range: Y[0] (7) must be in [0, 3)`,
    "token id",
  ],
  [`${NODE} OneHotEncoder node. Name:'o' Status Message: Unknown Category and zeros = 0.`, "category"],
  [`${NODE} Cast node. Name:'c' Status Message: stoll`, "no number"],
  [`${NODE} Cast node. Name:'c' Status Message: stod`, "no number"],
])("values that the graph has no place for are the caller's mistake: %s", (text, advice) => {
  const error = told(text);
  expect(error.reason).toBe(Reason.ROWS_REFUSED);
  expect(error.message).toContain(advice);
  expect(error.message).toContain(text);
  expect(error.cause).toBeUndefined();
});

const shapes = [
  `${NODE} MatMul node. Name:'m' Status Message: Compute MatMul dimension mismatch`,
  `${NODE} Gemm node. Name:'m' Status Message: GEMM: Dimension mismatch, W: {3,2} K: 4 N:2`,
  `${NODE} Add node. Name:'a' Status Message: axis == 1 || axis == largest was false. Attempting to broadcast an axis by a dimension other than 1. 3 by 4`,
  `${NODE} Concat node. Name:'c' Status Message: PrepareForComputeImpl Non concat axis dimensions must match: Axis 1 has mismatched dimensions of 4 and 3`,
  `${NODE} Reshape node. Name:'r' Status Message: size != 0 was false. The input tensor cannot be reshaped to the requested shape. Input shape:{2,4}, requested shape:{-1,3}`,
  `${NODE} Expand node. Name:'e' Status Message: invalid expand shape`,
  `${NODE} Conv node. Name:'c' Status Message: Input channels C is not equal to kernel channels * group. C: 4 kernel channels: 3 group: 1`,
  `${NODE} Conv node. Name:'c' Status Message: Invalid input shape: {2}`,
  `${NODE} Scaler node. Name:'s' Status Message: Either both scale and offset can be of feature size (4) or 1`,
  `${NODE} LinearRegressor node. Name:'l' Status Message: Compute LinearRegressor: coefficients length (3) must be at least targets (1) * features (4)`,
  `${NODE} Squeeze node. Name:'s' Status Message: input_shape[i] == 1 was false. Dimension of input 1 must be 1 instead of 4. shape={2,4}`,
  `${NODE} Split node. Name:'s' Status Message: Invalid value in 'split'. Split size 3 exceeds the remaining size of the selected axis, 1.`,
  `${NODE} TopK node. Name:'t' Status Message: k argument [3] should not be greater than specified axis dim value [2]`,
  `${NODE} TreeEnsembleRegressor node. Name:'t' Status Message: One path in the graph requests feature 5 but input tensor has 2 features.`,
];

test.each(shapes)("lengths are the caller's mistake only where the model leaves them open: %s", (text) => {
  const error = told(text, open);
  expect(error.reason).toBe(Reason.ROWS_REFUSED);
  expect(error.message).toContain("ids [-1,-1], mask [-1,-1]");
  expect(told(text).reason).toBe(Reason.RUN_FAILED);
});

test("all else is the model's failure, whose cause names model and shapes for the log", () => {
  const error = told("out of memory", open);
  expect(error.reason).toBe(Reason.RUN_FAILED);
  expect(error.message).toBe("the model failed on these rows: out of memory");
  expect(error.cause).toBe("model m version 3, x FP32[2,4]: the model failed on these rows: out of memory");
});

test("errors of other reasons stay as they are", () => {
  const error = new AssayError(Reason.INSTANCE_LOST, "the worker ended: data bounds");
  const rows = { modelName: "m", modelVersion: "1", signature: fixed, rowCount: 1, inputs };
  expect(toldRunError(error, rows)).toBe(error);
});
