import type { ModelSignature, TensorSpec } from "../../model/signature.ts";
import { listed } from "../../wording/field-paths.ts";
import { NameHints } from "../../wording/name-hints.ts";

/** A model's inputs and outputs by name; made by `signatureNames`. */
export interface SignatureNames {
  /** By name and, where no input has it as its name, by alias. */
  readonly inputs: ReadonlyMap<string, TensorSpec>;
  readonly outputs: ReadonlySet<string>;
  /** What to say of a name that no input has: the nearest, or what there is. */
  inputHint(name: string): string;
  outputHint(name: string): string;
}

const made = new WeakMap<ModelSignature, SignatureNames>();

/** The names of a signature, made once. */
export function signatureNames(signature: ModelSignature): SignatureNames {
  let names = made.get(signature);
  if (names === undefined) {
    names = makeNames(signature);
    made.set(signature, names);
  }
  return names;
}

function makeNames(signature: ModelSignature): SignatureNames {
  const inputs = new Map<string, TensorSpec>();
  // Of two with one name the first counts.
  for (const spec of signature.inputs) if (!inputs.has(spec.name)) inputs.set(spec.name, spec);
  for (const spec of signature.inputs) {
    for (const alias of spec.aliases) if (!inputs.has(alias)) inputs.set(alias, spec);
  }
  const inputList = signature.inputs.map(({ name }) => name);
  const outputList = signature.outputs.map(({ name }) => name);
  const inputHints = new NameHints(inputList);
  const outputHints = new NameHints(outputList);
  return {
    inputs,
    outputs: new Set(outputList),
    inputHint: (name) => inputHints.didYouMean(name) || `; it has ${listed(inputList)}`,
    outputHint: (name) => outputHints.didYouMean(name) || `; it has ${listed(outputList)}`,
  };
}
