import { numbersOf } from "../../tensor/datatype.ts";
import { labelTexts, type TensorData } from "../../tensor/tensor-data.ts";
import { quoted } from "../refusal.ts";
import type { ScoreRule, TensorSpec } from "../signature.ts";
import type { DecisionFacts, OutputOrigins } from "./output-origins.ts";
import type { UnitOutputs } from "./read-output.ts";
import type { ScoreChoice } from "./score-rule.ts";

/** What rounding may put outside of 0 to 1, and between columns that mirror each other. */
const ROUNDING = 1e-4;

/** Which outputs of rows that ran hold nothing but numbers from 0 to 1. */
export function unitOutputs(rows: readonly TensorData[]): UnitOutputs {
  const unit = new Map<string, boolean>();
  for (const output of rows) {
    if (!output.datatype.startsWith("FP") || output.data.length === 0) continue;
    const values = numbers(output);
    unit.set(
      output.name,
      values.every((value) => value >= -ROUNDING && value <= 1 + ROUNDING),
    );
  }
  return unit;
}

/**
 * Holds a choice against rows that ran: label and score must tell the same class. Columns in the other order are read so; a
 * score that contradicts its labels is none, and a notice says so.
 */
export function holdAgainstRows(
  choice: ScoreChoice,
  outputs: readonly TensorSpec[],
  origins: OutputOrigins,
  rows: readonly TensorData[],
): ScoreChoice {
  const { score, labelOutput } = choice;
  const label = rows.find(({ name }) => name === labelOutput);
  const values = rows.find(({ name }) => name === score?.output);
  if (score === undefined || label === undefined || values === undefined) return choice;
  const decision = origins.get(label.name)?.decision;
  // An SVM's probabilities, and its votes for more than two classes, are estimates beside its decision: the library's own differ.
  const isEstimate = score.kind === "highest-class" || origins.get(score.output)?.probability === 2;
  if (decision?.isLoose === true && isEstimate) return choice;
  const spec = outputs.find(({ name }) => name === score.output);
  const names = decision?.classes ?? (spec?.labels.length ? spec.labels : undefined);
  const named = labelNames(decision, []);
  const texts = labelTexts(label).map((text) => named?.get(text) ?? text);
  const seen: SeenRows = { texts, values: numbers(values), names, decision };
  const verdict = score.kind === "highest-class" ? judgeHighest(seen) : judgeSecond(seen, score);
  if (verdict.kind === "agrees") return choice;
  const other = verdict.kind === "reversed" ? reversed(score, seen) : undefined;
  if (other !== undefined) return { ...choice, score: other };
  const notice =
    `no score: output ${quoted(score.output)} contradicts the labels in ${quoted(label.name)} ` +
    `(${verdict.count} of ${seen.texts.length} rows that were tried), so what its columns mean is not known; name another with "score_output" in config.json, or this one to have it all the same`;
  return { ...choice, score: undefined, notices: [...choice.notices, notice] };
}

/**
 * The names that classes have instead of the texts that come: those of columns that write the same numbers in another way, and
 * those of the file where the runtime gives positions. Undefined where nothing is to be renamed.
 */
export function labelNames(
  decision: Pick<DecisionFacts, "classes" | "givesPositions"> | undefined,
  columns: readonly string[],
): ReadonlyMap<string, string> | undefined {
  const classes = decision?.classes;
  if (classes === undefined) return undefined;
  const isSpelled =
    classes.length === columns.length &&
    columns.every((name, index) => name !== "" && Number(name) === Number(classes[index]));
  const names = isSpelled ? columns : classes;
  const coming = decision?.givesPositions === true ? classes.map((_, position) => String(position)) : classes;
  if (coming.every((text, index) => text === names[index])) return undefined;
  return new Map(coming.map((text, index) => [text, names[index]!]));
}

interface SeenRows {
  readonly texts: readonly string[];
  readonly values: readonly number[];
  /** The classes by column, where they are known. */
  readonly names: readonly string[] | undefined;
  readonly decision: DecisionFacts | undefined;
}

type Verdict =
  | { readonly kind: "agrees" }
  | { readonly kind: "reversed" | "contradicts"; readonly count: number };

const AGREES: Verdict = { kind: "agrees" };

function judgeHighest({ texts, values, names, decision }: SeenRows): Verdict {
  const width = values.length / texts.length;
  const told = new Map<number, string>();
  let wrong = 0;
  for (const [row, text] of texts.entries()) {
    const best = highest(values, row * width, width);
    if (best === undefined) continue;
    const expected = names?.length === width ? names[best]! : told.get(best);
    if (expected === undefined) told.set(best, text);
    else if (!isSame(expected, text)) wrong++;
  }
  // What one operator gives may break ties in its own way.
  const most = decision?.kind === "classifier" || decision?.kind === "node" ? texts.length / 2 : 0;
  return wrong > most ? { kind: "contradicts", count: wrong } : AGREES;
}

/** The column of the highest value; undefined where another comes near it. */
function highest(values: readonly number[], from: number, width: number): number | undefined {
  let best = 0;
  for (let column = 1; column < width; column++)
    if (values[from + column]! > values[from + best]!) best = column;
  const top = values[from + best]!;
  const near = ROUNDING * Math.max(1e-2, Math.abs(top));
  for (let column = 0; column < width; column++) {
    if (column !== best && values[from + column]! > top - near) return undefined;
  }
  return Number.isFinite(top) ? best : undefined;
}

function judgeSecond(seen: SeenRows, score: ScoreRule): Verdict {
  const { texts, values, decision } = seen;
  const width = values.length / texts.length;
  const second = secondClass(seen);
  // A threshold of its own on one number: the number keeps the sign that the library gives it.
  if (second === undefined || (width === 1 && (decision === undefined || decision.kind === "threshold")))
    return AGREES;
  const column = score.kind === "value" ? 0 : (score.column ?? 1);
  const high: number[] = [];
  const low: number[] = [];
  for (const [row, text] of texts.entries()) {
    const value = values[row * width + column]!;
    if (Number.isFinite(value)) (isSame(text, second) ? high : low).push(value);
  }
  if (high.length > 0 && low.length > 0) {
    const near = ROUNDING * Math.max(1, ...[...high, ...low].map(Math.abs));
    if (Math.min(...high) >= Math.max(...low) - near) return AGREES;
    if (Math.min(...low) >= Math.max(...high) - near) return { kind: "reversed", count: texts.length };
    return { kind: "contradicts", count: texts.length };
  }
  if (width !== 2 || decision === undefined || decision.kind === "threshold") return AGREES;
  let wrong = 0;
  let told = 0;
  for (const [row, text] of texts.entries()) {
    const best = highest(values, row * 2, 2);
    if (best === undefined) continue;
    told++;
    if ((best === column) !== isSame(text, second)) wrong++;
  }
  return wrong * 2 > told ? { kind: "reversed", count: wrong } : AGREES;
}

/** The class that the second column stands for: as the graph says, else the larger of two numbers or flags. */
function secondClass({ names, texts }: SeenRows): string | undefined {
  if (names?.length === 2) return names[1];
  const different = [...new Set(texts)];
  const known = different.map((text) => (text === "true" ? 1 : text === "false" ? 0 : Number(text)));
  if (different.length !== 2 || known.some((value) => Number.isNaN(value))) return undefined;
  return known[0]! > known[1]! ? different[0] : different[1];
}

/** The rule for columns that stand in the other order, where each is the other's mirror; undefined where they are not. */
function reversed(score: ScoreRule, { values, texts }: SeenRows): ScoreRule | undefined {
  if (score.kind !== "second-class" || values.length !== texts.length * 2) return undefined;
  const sums = texts.map((_, row) => values[row * 2]! + values[row * 2 + 1]!);
  const near = ROUNDING * Math.max(1, ...values.map(Math.abs));
  const mirrored = [0, 1].some((sum) => sums.every((value) => Math.abs(value - sum) <= near));
  if (!mirrored) return undefined;
  const { output, kind } = score;
  return score.column === 0 ? { output, kind } : { output, kind, column: 0 };
}

function isSame(a: string, b: string): boolean {
  if (a === b) return true;
  const flag = (text: string) => (text === "true" ? "1" : text === "false" ? "0" : text);
  return a !== "" && b !== "" && Number(flag(a)) === Number(flag(b));
}

function numbers({ datatype, data }: TensorData): number[] {
  return Array.from(numbersOf(datatype, data as ArrayLike<number>), Number);
}
