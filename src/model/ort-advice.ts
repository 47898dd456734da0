/**
 * Puts what to do in front of a message of ONNX Runtime on making a session, in front of it. Takes messages that are already free of C++
 * source places.
 */
export function explainLoadFailure(message: string): string {
  for (const [pattern, explain] of OF_LOADS) {
    const match = pattern.exec(message);
    if (match !== null) return `${explain(match)} (ONNX Runtime: ${message})`;
  }
  return (
    "ONNX Runtime cannot make it: run onnx.checker.check_model(path, full_check=True) on the file, and " +
    `onnxruntime.InferenceSession(path) where it was exported; if both take it, export it with another target opset (ONNX Runtime: ${message})`
  );
}

const OF_LOADS: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
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
      `the operator "${operator}" is not in the ONNX Runtime that Assay brings: export the model again without it (a standard opset, no custom or contributed operators)`,
  ],
  [
    /Unrecognized attribute: (\S+) for operator (\w+)/,
    ([, name, operator]) =>
      `the operator "${operator}" has no attribute "${name}" in the opset that the file names: export the model again with one target opset for all of its parts`,
  ],
  [
    /In Node, \("([^"]*)", (\w+).*?Required attribute '([^']*)' is missing/,
    ([, node, operator, name]) =>
      `node "${node}" (${operator}) lacks the attribute "${name}": export the model again`,
  ],
  [
    /In Node, \("([^"]*)", (\w+).*?has (input|output) size (\d+) not in range \[min=(\d+), max=(\d+)\]/,
    ([, node, operator, role, count, least, most]) =>
      `node "${node}" (${operator}) has ${count} ${role}s, and the opset that the file names takes ${least} to ${most}: export the model again with a newer target opset`,
  ],
  [
    /Node input '([^']*)' is not a graph input/,
    ([, value]) =>
      `a node reads "${value}", which nothing in the graph makes: what cut or joined the graph left a node away; export the model again`,
  ],
  [
    /two nodes with same node name \(([^)]*)\)/,
    ([, node]) =>
      `two nodes are called "${node}": give nodes different names, or none, and save the model again`,
  ],
  [/not acyclic/, () => "the graph runs in a circle, so that no node can be first: export the model again"],
  [
    /Type \(tensor\((\w+)\)\) of output arg \(([^)]*)\) of node \(([^)]*)\) does not match expected type \(tensor\((\w+)\)\)/,
    ([, declared, value, node, made]) =>
      `the file declares "${value}" as ${declared}, and node "${node}" makes ${made} of it: export the model again ` +
      "(in float32 where it was double, with a newer skl2onnx or onnxmltools), or correct the declared type",
  ],
  [
    /Optype \((\w+)\) bound to different types \(tensor\((\w+)\) and tensor\((\w+)\)/,
    ([, operator, one, other]) =>
      `the operator "${operator}" is given ${one} and ${other} at once: export the model in one precision (all inputs float32, or all double), or add a Cast`,
  ],
  [
    /Could not find an implementation for (\w+)\((\d+)\) node with name '([^']*)'/,
    ([, operator, version, node]) =>
      `node "${node}", ${operator} of opset ${version}, has no implementation on this device for the element types it is given (few operators of the CPU take bfloat16 or float16): export it in float32, or add a Cast in front of it`,
  ],
  [
    /\blocale\b/i,
    () =>
      "the model changes the case of texts (a vectorizer with lowercase=True) and the machine lacks the locale en_US.UTF-8: install it (on Debian: locales, then locale-gen en_US.UTF-8), or export with lowercase=False",
  ],
  [
    /external data|external initializer|model_external_initializers/i,
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
    /bad_alloc|[Ff]ailed to allocate memory|out of memory/i,
    () =>
      "there is not enough memory for it: give the machine or container more, run fewer models or instances (instance_group), or export smaller weights (float16, quantized)",
  ],
  [
    /Exception during initialization: (.*)/,
    () =>
      "one of its operators cannot be set up as the file describes it: export the model again with other versions of the converter",
  ],
  [
    /ShapeInferenceError|TypeInferenceError|[Ii]ncompatible dimensions|Duplicate definition/,
    () => "the file contradicts itself: check it with onnx.checker.check_model, and export it again",
  ],
];

/**
 * What to do about a message of ONNX Runtime on a run that failed for the model's or the machine's sake, in front of it; the message
 * alone where nothing is known. What callers can mend is told by the service, which knows the rows. Takes messages that are
 * already free of C++ source places.
 */
export function explainRunFailure(message: string): string {
  for (const [pattern, explanation] of OF_RUNS) {
    if (pattern.test(message)) return `${explanation} (ONNX Runtime: ${message})`;
  }
  return message;
}

const OF_RUNS: readonly (readonly [RegExp, string])[] = [
  [
    /bad_alloc|failed to allocate memory|out of memory/i,
    "there is not enough memory for a run of so many rows: send fewer or shorter ones, lower max_batch_size in config.json, or give the machine more",
  ],
  [
    /non tensor type is temporarily not supported/i,
    "an output is a sequence or a map, which cannot be sent: export the model with tensors as outputs",
  ],
];
