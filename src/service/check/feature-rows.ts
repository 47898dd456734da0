import { type ModelSignature, rowShape, type TensorSpec } from "../../model/signature.ts";
import { counted } from "../../wording/counted.ts";
import { listed, shownName, shownShape } from "../../wording/field-paths.ts";
import type { CheckedRows } from "./checked-rows.ts";
import { MOST_ITEMS } from "./rule-outline.ts";
import { floatFault, floatLimit } from "./value-rules.ts";
import type { Violations } from "./violations.ts";

/**
 * Checks `features`, one row for a model whose only required input takes floats, `[N, features]`, `[N]` or `[features]`.
 * Undefined where a violation was added.
 */
export function checkFeatures(
  features: readonly number[],
  signature: ModelSignature,
  violations: Violations,
): CheckedRows | undefined {
  const spec = featureInput(signature);
  if (spec === undefined) {
    violations.add("features", noFeatureInput(signature), "signature.features");
    return undefined;
  }
  const tail = rowShape(spec, signature);
  const expected = tail.reduce((product, length) => product * length, 1);
  const before = violations.count;
  const free = expected < 0;
  if (!free && features.length !== expected) {
    const names = spec.featureNames.length > 0 ? ` (${listed(spec.featureNames)})` : "";
    violations.add(
      "features",
      `${counted(features.length, "feature")} came; ${shownName(spec.name)} takes ${expected}${names}`,
      features.length < expected ? "signature.too_few" : "signature.too_many",
    );
  }
  checkFeatureValues(features, violations, spec.rejectNan);
  if (violations.count > before) return undefined;
  const tailShape = free ? [features.length] : tail;
  const values = spec.datatype === "FP64" ? features.map(Math.fround) : features;
  return {
    rowCount: 1,
    inputs: [{ name: spec.name, datatype: spec.datatype, tailShape, values: { kind: "numbers", values } }],
  };
}

/** Adds the values that no model takes, up to the most that the schema's rule allows. */
export function checkFeatureValues(
  features: readonly number[],
  violations: Violations,
  rejectNan = false,
): void {
  // The field is a list of floats, whatever JSON may have brought and whatever the model takes.
  const limit = floatLimit("FP32");
  const count = Math.min(features.length, MOST_ITEMS.features);
  for (let i = 0; i < count; i++) {
    const value = features[i]!;
    if (Math.abs(value) <= limit) continue;
    const fault = floatFault(value, "FP32", rejectNan);
    if (fault !== undefined) violations.add(`features[${i}]`, fault.description, fault.rule);
  }
}

/** The one input that `features` may fill: the only required one, FP32 or FP64, with at most one axis of free length. */
export function featureInput(signature: ModelSignature): TensorSpec | undefined {
  const required = signature.inputs.filter((input) => !input.optional);
  const spec = required[0];
  if (required.length !== 1 || spec === undefined) return undefined;
  if (spec.datatype !== "FP32" && spec.datatype !== "FP64") return undefined;
  const tail = rowShape(spec, signature);
  return tail.every((length) => length >= 0) || (tail.length === 1 && tail[0] === -1) ? spec : undefined;
}

/** Says why a model takes no `features`, and what it takes. */
export function noFeatureInput(signature: ModelSignature): string {
  const inputs = listed(
    signature.inputs.map((input) => `${input.name} ${input.datatype}${shownShape(input.shape)}`),
  );
  return `features came; they fit only a model with one FP32 or FP64 input, and this one takes ${inputs}: send rows or inputs`;
}
