import { expect, test } from "vitest";
import type { AssayError } from "../../../../src/errors.ts";
import { checkOutputNames } from "../../../../src/service/check/output-names.ts";
import { createViolations } from "../../../../src/service/check/violations.ts";
import { signature, spec } from "../../../support/models/signatures.ts";

const model = signature([], {
  outputs: [spec("label", "INT64", [-1]), spec("probabilities", "FP32", [-1, 2])],
});

function check(asked: readonly string[], of = model): { names: readonly string[]; faults: string[] } {
  const violations = createViolations();
  const names = checkOutputNames(asked, of, violations);
  try {
    violations.throwIfAny();
  } catch (error) {
    return {
      names,
      faults: (error as AssayError).violations.map((one) => `${one.field}: ${one.description}`),
    };
  }
  return { names, faults: [] };
}

test("no names mean none where there is a score and all where there is none, and a star means all", () => {
  expect(check([])).toEqual({ names: [], faults: [] });
  expect(check([], { ...model, score: undefined }).names).toEqual(["label", "probabilities"]);
  expect(check(["*"]).names).toEqual(["label", "probabilities"]);
  expect(check(["probabilities"]).names).toEqual(["probabilities"]);
});

test.each([
  ["alone", ["probabilites"], 0],
  ["beside others", ["label", "probabilites"], 1],
  ["beside a star", ["*", "probabilites"], 1],
])("a misspelt name %s is refused with the nearest", (_, asked, index) => {
  expect(check(asked).faults).toEqual([
    `output_names[${index}]: the model has no output "probabilites"; did you mean "probabilities"?`,
  ]);
});

test("a name that is near to nothing is told what there is, and one that comes twice is refused", () => {
  expect(check(["zzz", "label", "label"]).faults).toEqual([
    'output_names[0]: the model has no output "zzz"; it has label, probabilities',
    'output_names[2]: output "label" was asked for already as output_names[1]',
  ]);
});
