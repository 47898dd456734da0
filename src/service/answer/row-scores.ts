import type { ModelSignature, ScoreRule } from "../../model/signature.ts";
import { type NumericArray, numbersOf } from "../../tensor/datatype.ts";
import { labelTexts, type TensorData } from "../../tensor/tensor-data.ts";

/** One score a row: the value, the second class's, or that of the highest class. */
export function readScores(output: TensorData, rule: ScoreRule, rowCount: number): number[] {
  const width = rowCount === 0 ? 0 : output.data.length / rowCount;
  const values = numbers(output);
  const scores = new Array<number>(rowCount);
  if (rule.kind === "highest-class") {
    for (let row = 0; row < rowCount; row++)
      scores[row] = values[row * width + highest(values, row * width, width)]!;
    return scores;
  }
  const offset = rule.kind === "second-class" ? (rule.column ?? 1) : 0;
  for (let row = 0, at = offset; row < rowCount; row++, at += width) scores[row] = values[at]!;
  return scores;
}

/** One label a row: the label output as text, else the highest class's name; empty where the model has neither. */
export function readLabels(
  outputs: readonly TensorData[],
  signature: Pick<ModelSignature, "score" | "labels" | "labelOutput" | "labelNames">,
  score: TensorData | undefined,
): string[] {
  const { labels, labelOutput, labelNames } = signature;
  const output = labelOutput === undefined ? undefined : outputs.find(({ name }) => name === labelOutput);
  if (output !== undefined) {
    const found = labelTexts(output);
    return labelNames === undefined ? found : found.map((text) => labelNames.get(text) ?? text);
  }
  if (score === undefined || signature.score?.kind === "value" || labels.length === 0) return [];
  const width = labels.length;
  const rows = score.data.length / width;
  const values = numbers(score);
  return Array.from({ length: rows }, (_, row) => labels[highest(values, row * width, width)] ?? "");
}

function highest(values: ArrayLike<number>, from: number, width: number): number {
  let best = 0;
  for (let column = 1; column < width; column++) {
    if (values[from + column]! > values[from + best]!) best = column;
  }
  return best;
}

/** The output's elements as numbers: where they lie, unless they must be converted. */
function numbers({ datatype, data }: Pick<TensorData, "datatype" | "data">): ArrayLike<number> {
  return numbersOf(datatype, data as NumericArray);
}
