import type { ScoreRule, TensorSpec } from "../signature.ts";
import { chooseDecision, type DecisionReading } from "./decision-reading.ts";
import type { OutputOrigin, OutputOrigins } from "./output-origins.ts";
import {
  isFloat,
  isFloatMatrix,
  isVector,
  listed,
  onlyValue,
  preference,
  type ReadOutput,
  type UnitOutputs,
} from "./read-output.ts";

/** Outputs that config.json asks for; empty where it says nothing. */
export interface AskedOutputs {
  readonly scoreOutput: string;
  readonly labelOutput: string;
}

/** Where scores and labels come from, and what an operator should know of the choice. */
export interface ScoreChoice {
  readonly score: ScoreRule | undefined;
  readonly labelOutput: string | undefined;
  readonly notices: readonly string[];
}

const HOW = 'name the right one with "score_output" in config.json (and its labels with "label_output")';

/**
 * Chooses by what the graph tells of each output: what `asked` names; else the scores that a label of the same classifier stands
 * beside; else the only float `[N]` or `[N,1]`. Where two readings remain there is no score, and a notice says
 * why. See "A score" in docs/models.md.
 */
export function chooseScore(
  outputs: readonly TensorSpec[],
  origins: OutputOrigins,
  asked: AskedOutputs,
  unit: UnitOutputs = new Map(),
): ScoreChoice {
  const read = outputs.map((spec) => ({ spec, origin: origins.get(spec.name) ?? UNKNOWN }));
  if (asked.scoreOutput !== "") return askedScore(read, asked);
  const named = read.find(({ spec }) => spec.name === asked.labelOutput);
  const reading = chooseDecision(read, named?.spec.name, unit);
  if (reading !== undefined) return fromReading(reading);
  return named === undefined ? withoutDecision(read, unit) : besideLabel(read, named);
}

/** An output whose origin is not known: it is what its shape says. */
const UNKNOWN: OutputOrigin = {
  kind: "model",
  base: "",
  probability: 1,
  decision: undefined,
  nearness: new Map(),
  sources: new Set(),
  svmPairs: false,
};

/** The rule by which a score is read from an output; an open number of columns is that of its labels, or of several classes. */
function ruleFor({ spec, origin }: ReadOutput, classCount?: number): ScoreRule {
  const columns = spec.shape.length === 2 ? spec.shape[1]! : 1;
  const open = spec.labels.length > 0 ? spec.labels.length : (classCount ?? 3);
  const count = columns === -1 ? open : columns;
  const kind = count < 2 ? "value" : count === 2 ? "second-class" : "highest-class";
  // An SVM gives the decision function of its two classes first, and its negative in the second column.
  const swapped = origin.svmPairs && kind === "second-class";
  return { output: spec.name, kind, ...(swapped ? { column: 0 } : {}) };
}

function askedScore(read: readonly ReadOutput[], asked: AskedOutputs): ScoreChoice {
  const output = read.find(({ spec }) => spec.name === asked.scoreOutput);
  if (output === undefined) return { score: undefined, labelOutput: undefined, notices: [] };
  const labelOutput = asked.labelOutput === "" ? labelBeside(output, read) : asked.labelOutput;
  return { score: ruleFor(output), labelOutput, notices: [] };
}

/** The label of the same classifier as a score that was asked for; else the only label whose origin the graph hides. */
function labelBeside({ spec, origin }: ReadOutput, read: readonly ReadOutput[]): string | undefined {
  const labels = read.filter((other) => other.spec.name !== spec.name && isVector(other.spec));
  const decided = labels.filter(({ origin: { decision } }) => decision !== undefined);
  const near = decided
    .map((label) => ({ label, steps: origin.nearness.get(label.origin.decision!.key) ?? 0 }))
    .filter(({ steps }) => steps > 0)
    .sort((a, b) => b.steps - a.steps || preference(a.label.spec) - preference(b.label.spec));
  if (near.length > 0) return near[0]!.label.spec.name;
  const hidden = labels.filter(({ spec: other, origin: { kind } }) => kind === "model" && !isFloat(other));
  const alone = decided.length === 0 && hidden.length === 1 && isFloatMatrix(spec);
  return alone ? hidden[0]!.spec.name : undefined;
}

function fromReading(reading: DecisionReading): ScoreChoice {
  const { score, label, notices } = reading;
  const rule = score === undefined ? undefined : ruleFor(score, label?.origin.decision?.classes?.length);
  return {
    score: rule,
    labelOutput: label?.spec.name,
    notices: notices.map((notice) => `${notice}; ${HOW}`),
  };
}

/** The owner says which output is the label, and the graph does not tell what it was decided over. */
function besideLabel(read: readonly ReadOutput[], label: ReadOutput): ScoreChoice {
  const others = read.filter(
    ({ spec, origin }) => spec !== label.spec && origin.kind === "model" && isFloat(spec),
  );
  const matrices = others.filter(({ spec }) => isFloatMatrix(spec));
  const vectors = others.filter(({ spec }) => isVector(spec));
  const scores = matrices.length > 0 ? matrices : vectors;
  const labelOutput = label.spec.name;
  if (scores.length === 1) return { score: ruleFor(scores[0]!), labelOutput, notices: [] };
  const notices = scores.length === 0 ? [] : [`no score: ${listed(scores)} may each be it; ${HOW}`];
  return { score: undefined, labelOutput, notices };
}

/** No output is a class that the graph shows to be decided. */
function withoutDecision(read: readonly ReadOutput[], unit: UnitOutputs): ScoreChoice {
  const computed = read.filter(({ origin }) => origin.kind === "model");
  const hidden = computed.filter(({ spec }) => !isFloat(spec) && isVector(spec));
  const matrices = computed.filter(({ spec }) => isFloatMatrix(spec));
  if (hidden.length === 1 && matrices.length === 1) {
    return { score: ruleFor(matrices[0]!), labelOutput: hidden[0]!.spec.name, notices: [] };
  }
  if (hidden.length > 0 && matrices.length > 0) {
    const notice = `no score: ${listed(hidden)} may each be the label of ${listed(matrices)}`;
    return { score: undefined, labelOutput: undefined, notices: [`${notice}; ${HOW}`] };
  }
  const values = computed.filter(({ spec }) => isFloat(spec) && isVector(spec));
  const value = onlyValue(values, unit);
  if (value !== undefined) return { score: ruleFor(value), labelOutput: undefined, notices: [] };
  if (values.length > 0) {
    const notice = `no score: ${listed(values)} may each be it`;
    return { score: undefined, labelOutput: undefined, notices: [`${notice}; ${HOW}`] };
  }
  const only = hidden.length === 1 && read.length === 1 && hidden[0]!.spec.datatype === "BYTES";
  if (only) return { score: undefined, labelOutput: hidden[0]!.spec.name, notices: [] };
  const why =
    matrices.length > 0
      ? `${listed(matrices)}: several numbers a row, which may be classes, values of their own or an embedding`
      : hidden.length > 0
        ? `${listed(hidden)}: one value a row, which may be a label or a count`
        : undefined;
  const notices = why === undefined ? [] : [`no score: ${why}; ${HOW}`];
  return { score: undefined, labelOutput: undefined, notices };
}
