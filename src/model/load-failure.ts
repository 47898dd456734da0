/**
 * What to do about a message of ONNX Runtime on making a session, in front of it; the message alone where nothing is known.
 * Takes messages that are already free of C++ source places.
 */
export function explainLoadFailure(message: string): string {
  for (const [pattern, explain] of EXPLANATIONS) {
    const match = pattern.exec(message);
    if (match !== null) return `${explain(match)} (ONNX Runtime: ${message})`;
  }
  return message;
}

const EXPLANATIONS: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [
    /In Node, \("([^"]*)".*?No Op registered for (\S+) with domain_version of (\d+)/,
    ([, node, operator, version]) =>
      `node "${node}" uses the operator "${operator}", which does not exist in opset ${version}: export the model again without custom operators, or with the opset that the operator came with`,
  ],
  [
    /In Node, \("([^"]*)".*?Op registered for (\S+) is deprecated in domain_version of (\d+)/,
    ([, node, operator, version]) =>
      `node "${node}" uses the operator "${operator}", which opset ${version} no longer has: export the model again with a lower target opset`,
  ],
  [
    /No opset import for domain '([^']*)'/,
    ([, domain]) =>
      `the file uses operators of the domain "${domain}" and does not say which version: export the model again`,
  ],
  [
    /(\S+?)\(-?\d+\) is not a registered function\/op/,
    ([, operator]) =>
      `the operator "${operator}" does not exist: export the model again without custom operators`,
  ],
  [
    /Could not find an implementation for (\w+)\((\d+)\) node with name '([^']*)'/,
    ([, operator, version, node]) =>
      `node "${node}", ${operator} of opset ${version}, has no implementation for the element types it is given: export it in float32, or add a Cast in front of it`,
  ],
  [
    /locale/i,
    () =>
      "the model changes the case of texts (a vectorizer with lowercase=True) and the machine lacks the locale en_US.UTF-8: install it (on Debian: locales, then locale-gen en_US.UTF-8), or export with lowercase=False",
  ],
  [
    /External data path|external data|external initializer/i,
    () =>
      "the weights beside the model cannot be read: copy every file that the export wrote into the version folder",
  ],
  [
    /protobuf parsing failed/,
    () => "the file is damaged or no ONNX model: copy it again, or export it again",
  ],
  [
    /Type Error: Type '([^']*)'.*? of (?:input )?parameter \(([^)]*)\) of operator \((\w+)\)/,
    ([, type, value, operator]) =>
      `the operator "${operator}" does not take ${type}, which "${value}" is: the file contradicts itself, export it again`,
  ],
  [
    /ShapeInferenceError|TypeInferenceError|[Ii]ncompatible dimensions|Duplicate definition/,
    () => "the file contradicts itself: check it with onnx.checker.check_model, and export it again",
  ],
];
