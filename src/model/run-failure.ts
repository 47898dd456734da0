/**
 * What to do about a message of ONNX Runtime on a run that failed for the model's or the machine's sake, in front of it; the message
 * alone where nothing is known. What callers can mend is told by the service, which knows the rows. Takes messages that are
 * already free of C++ source places.
 */
export function explainRunFailure(message: string): string {
  for (const [pattern, explanation] of EXPLANATIONS) {
    if (pattern.test(message)) return `${explanation} (ONNX Runtime: ${message})`;
  }
  return message;
}

const EXPLANATIONS: readonly (readonly [RegExp, string])[] = [
  [
    /bad_alloc|failed to allocate memory|out of memory/i,
    "there is not enough memory for a run of so many rows: send fewer or shorter ones, lower max_batch_size in config.json, or give the machine more",
  ],
  [
    /non tensor type is temporarily not supported/i,
    "an output is a sequence or a map, which cannot be sent: export the model with tensors as outputs",
  ],
];
