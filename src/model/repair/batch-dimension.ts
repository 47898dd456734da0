import type { DeclaredTensor, Dimension } from "../onnx/declared-tensor.ts";

/**
 * What declared input shapes say of the batch dimension. `open`: axis 0 of every input counts rows. `fixed-at-one`: every
 * input takes one row; it may be opened where a check agrees. `fixed-at-many`: the same with some larger number of rows, which is all
 * that a run takes where the check does not agree. `none`: a request is one run.
 */
export type BatchDimension = "open" | "fixed-at-one" | "fixed-at-many" | "none";

/** Decides by the declared shapes of the inputs that a request must bring. */
export function readBatchDimension(inputs: readonly DeclaredTensor[]): BatchDimension {
  if (inputs.length === 0) return "none";
  const first = inputs.map(({ dimensions }) => dimensions?.[0]);
  const ranked = inputs.every(({ dimensions }) => dimensions !== undefined && dimensions.length > 0);
  if (!ranked) return "none";
  if (first.every((dimension) => dimension === 1)) return "fixed-at-one";
  const [rows] = first;
  if (typeof rows === "number" && first.every((dimension) => dimension === rows)) {
    // A vector of fixed length is one row's values.
    return inputs.some(({ dimensions }) => dimensions!.length > 1) ? "fixed-at-many" : "none";
  }
  if (first.some((dimension) => typeof dimension === "number")) return "none";
  return first.some((symbol) => typeof symbol === "string" && standsElsewhere(symbol, inputs))
    ? "none"
    : "open";
}

/** A symbol that counts rows on axis 0 of one input and something on another axis ties axes that rows would split. */
function standsElsewhere(symbol: string, inputs: readonly DeclaredTensor[]): boolean {
  return inputs.some(({ dimensions }) => dimensions?.slice(1).includes(symbol));
}

/** The declaration with axes of length 0, which exporters write for "any", open. */
export function openEmptyAxes(declared: DeclaredTensor): DeclaredTensor {
  if (declared.dimensions?.includes(0) !== true) return declared;
  return {
    ...declared,
    dimensions: declared.dimensions.map((length) => (length === 0 ? undefined : length)),
  };
}

/** The declaration with axis 0 open. */
export function openBatchDimension(declared: DeclaredTensor): DeclaredTensor {
  if (declared.dimensions === undefined || declared.dimensions.length === 0) return declared;
  return { ...declared, dimensions: [undefined, ...declared.dimensions.slice(1)] };
}

/** Axes as a signature has them: -1 where the length may vary. */
export function signatureShape(dimensions: readonly Dimension[]): number[] {
  return dimensions.map((dimension) => (typeof dimension === "number" ? dimension : -1));
}
