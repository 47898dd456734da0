import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { EntryInput } from "../../batcher/batcher.ts";
import { AssayError, withoutStack } from "../../errors.ts";
import { hasRows, type ModelSignature, rowShape } from "../../model/signature.ts";
import { listed, shownShape } from "../../wording/field-paths.ts";

/** Rows that a model failed on. */
export interface FailedRows {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly signature: ModelSignature;
  readonly rowCount: number;
  readonly inputs: readonly EntryInput[];
}

/** What ONNX Runtime's kernels say of values that a graph has no place for, and what to send instead. */
const OF_VALUES: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /data bounds|out of range value in index|invalid ind(?:ex|ice|ices) found|index is out of range|indices? (?:must|should) be/i,
    "an index such as a token id or a category is outside the model's table: send those that it was trained with",
  ],
  [/unknown category/i, "a category is one that the model was not trained with"],
  [
    /Cast node.*(?:\bsto(?:d|f|i|l|ll|ld|ul|ull)\b|could not convert|cannot convert|failed to parse)/i,
    "a text is no number, where the model makes numbers of its texts",
  ],
  [/ConstantOfShape node.*must be >= 0/, "a length among the values is negative"],
];

/** What they say of shapes that do not fit each other or the weights. */
const OF_SHAPES =
  /dimension mismatch|dimensions? (?:must|do not) match|attempting to broadcast|mismatched dimensions|cannot be reshaped|invalid expand shape|input channels|invalid input shape|invalid (?:dimensions|rank) for|feature size|coefficients (?:size|length)|dimension of input \d+ must be|'split'|split size|k argument|pad reflect|input tensor has \d+ features/i;

/**
 * The error of a run as its caller is told. Where ONNX Runtime's message says that a value, or a length that the model leaves to its
 * callers, is one that the graph cannot take, it is the caller's mistake and ROWS_REFUSED; RUN_FAILED, with the model and the shapes as
 * its cause for the log, is all else.
 */
export function toldRunError(error: AssayError, rows: FailedRows): AssayError {
  if (error.reason !== Reason.RUN_FAILED) return error;
  const advice = callersMistake(error.message, rows.signature);
  if (advice === undefined) {
    const cause = error.cause ?? `${described(rows)}: ${error.message}`;
    return new AssayError(Reason.RUN_FAILED, error.message, { cause });
  }
  const what = error.message.replace(/^the model failed on these rows: /, "");
  return withoutStack(
    () => new AssayError(Reason.ROWS_REFUSED, `the model cannot take these rows: ${advice} (${what})`),
  );
}

function callersMistake(message: string, signature: ModelSignature): string | undefined {
  for (const [pattern, advice] of OF_VALUES) if (pattern.test(message)) return advice;
  if (!OF_SHAPES.test(message)) return undefined;
  const free = signature.inputs.filter(({ shape, anyShape }) => {
    return anyShape === true || rowShape({ shape }, signature).includes(-1);
  });
  // Where callers choose no length but the number of rows, the graph itself is wrong.
  if (free.length === 0) return undefined;
  const inputs = listed(free.map(({ name, shape }) => `${name} ${shownShape(shape)}`));
  return `a length that the model leaves open does not fit the rest of its graph: compare the shapes of ${inputs}, -1 being what is left open, with those that it was trained with`;
}

function described({ modelName, modelVersion, rowCount, inputs, signature }: FailedRows): string {
  const shapes = inputs.map(({ name, datatype, tailShape }) => {
    return `${name} ${datatype}${shownShape(hasRows(signature) ? [rowCount, ...tailShape] : tailShape)}`;
  });
  return `model ${modelName} version ${modelVersion}, ${listed(shapes)}`;
}
