import type { ModelSignature, TensorSpec } from "../../../src/model/signature.ts";

/** A tensor spec with everything unsaid left at its plainest. */
export function spec(
  name: string,
  datatype: TensorSpec["datatype"],
  shape: number[],
  more: Partial<TensorSpec> = {},
): TensorSpec {
  const plain = { optional: false, featureNames: [], labels: [], aliases: [], rejectNan: false };
  return { name, datatype, shape, ...plain, ...more };
}

/** A signature with everything unsaid left at its plainest. */
export function signature(inputs: TensorSpec[], more: Partial<ModelSignature> = {}): ModelSignature {
  return {
    inputs,
    outputs: [spec("y", "FP32", [-1, 1])],
    score: { output: "y", kind: "value" },
    labelOutput: undefined,
    labels: [],
    batching: "across-requests",
    ignoreUnknownColumns: false,
    ...more,
  };
}
