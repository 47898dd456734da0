import type { ScoreRule, TensorSpec } from "./signature.ts";

/**
 * Where a score comes from: `scoreOutput` of config.json; else, where a label output stands beside a float `[N, C ≥ 2]`
 * output, that one: the second class's value when C is 2, the highest otherwise; else the first float `[N]` or `[N,1]`
 * output; else undefined. See "A score" in docs/models.md.
 */
export function chooseScoreRule(outputs: readonly TensorSpec[], scoreOutput: string): ScoreRule | undefined {
  const label = outputs.find(isLabel);
  if (scoreOutput !== "") {
    const output = outputs.find(({ name }) => name === scoreOutput);
    if (output === undefined) return undefined;
    const classes = classCount(output);
    const kind = classes < 2 ? "value" : classes === 2 ? "second-class" : "highest-class";
    return { output: output.name, kind, labelOutput: kind === "value" ? undefined : label?.name };
  }
  const matrix = outputs.find((output) => isFloat(output) && classCount(output) >= 2);
  if (label !== undefined && matrix !== undefined) {
    const kind = classCount(matrix) === 2 ? "second-class" : "highest-class";
    return { output: matrix.name, kind, labelOutput: label.name };
  }
  const value = outputs.find((output) => isFloat(output) && isVector(output));
  return value === undefined ? undefined : { output: value.name, kind: "value", labelOutput: undefined };
}

/** True for an output that a score can be read from: numbers, one or several a row. A scalar is the score of no rows. */
export function canHoldScores({ datatype, shape }: TensorSpec): boolean {
  return datatype !== "BYTES" && datatype !== "BOOL" && shape.length <= 2;
}

/** True for an output that can hold one class a row: integers or strings, `[N]` or `[N,1]`. */
export function isLabel(output: TensorSpec): boolean {
  const { datatype } = output;
  return (datatype === "BYTES" || datatype === "INT64" || datatype === "INT32") && isVector(output);
}

/** The columns of a `[N, C]` output, 0 for other ranks; an open C counts its labels, or as many classes. */
function classCount(output: TensorSpec): number {
  if (output.shape.length !== 2) return 0;
  const columns = output.shape[1]!;
  if (columns !== -1) return columns;
  return output.labels.length > 0 ? output.labels.length : 3;
}

function isFloat(output: TensorSpec): boolean {
  return output.datatype.startsWith("FP");
}

function isVector({ shape }: TensorSpec): boolean {
  return shape.length === 1 || (shape.length === 2 && shape[1] === 1);
}
