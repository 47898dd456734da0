import type { ModelSignature } from "../../model/signature.ts";
import { shownName } from "../../wording/field-paths.ts";
import { MOST_ITEMS } from "./rule-outline.ts";
import { signatureNames } from "./signature-names.ts";
import type { Violations } from "./violations.ts";

/** The outputs to return as tensors; `*` means all, and so does nothing where the model has no score. */
export function checkOutputNames(
  asked: readonly string[],
  signature: ModelSignature,
  violations: Violations,
): readonly string[] {
  if (asked.length === 0 && signature.score !== undefined) return asked;
  const names = signatureNames(signature);
  let takesAll = asked.length === 0;
  const first = asked.length > 1 ? new Map<string, number>() : undefined;
  // The schema's rule has named a list that is longer.
  const count = Math.min(asked.length, MOST_ITEMS.outputNames);
  for (let index = 0; index < count; index++) {
    const name = asked[index]!;
    const before = first?.get(name);
    if (before !== undefined) {
      violations.add(
        `output_names[${index}]`,
        `output ${shownName(name)} was asked for already as output_names[${before}]`,
        "signature.duplicate_output",
      );
      continue;
    }
    first?.set(name, index);
    if (name === "*") takesAll = true;
    else if (!names.outputs.has(name)) {
      violations.add(
        `output_names[${index}]`,
        () => `the model has no output ${shownName(name)}${names.outputHint(name)}`,
        "signature.unknown_output",
      );
    }
  }
  return takesAll ? [...names.outputs] : asked;
}
