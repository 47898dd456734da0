import type { DecisionFacts } from "./output-origins.ts";
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

/** The reading of outputs where at least one of them is a class that the graph shows to be decided. */
export interface DecisionReading {
  readonly score: ReadOutput | undefined;
  readonly label: ReadOutput | undefined;
  readonly notices: readonly string[];
}

/** One place where a class is decided: the labels that tell it, and the outputs whose numbers it was decided over. */
interface Group {
  readonly decision: DecisionFacts;
  readonly labels: readonly ReadOutput[];
  readonly scores: readonly ReadOutput[];
}

/**
 * Reads label and score from one decision. `asked` is the label output that config.json names. Undefined where no output is
 * a label of a decision.
 */
export function chooseDecision(
  read: readonly ReadOutput[],
  asked: string | undefined,
  unit: UnitOutputs,
): DecisionReading | undefined {
  const groups = groupsOf(read, asked);
  if (groups.length === 0) return undefined;
  const scored = groups.filter(({ scores }) => scores.length > 0);
  if (scored.length > 1) return severalHeads(scored, unit);
  const group = scored[0];
  if (group !== undefined) return readGroup(group, read, unit);
  return labelsOnly(groups, read, unit);
}

function groupsOf(read: readonly ReadOutput[], asked: string | undefined): Group[] {
  const labels = new Map<string, ReadOutput[]>();
  for (const output of read) {
    const { spec, origin } = output;
    const named = asked === undefined || asked === spec.name;
    if (!named || origin.decision === undefined || origin.kind !== "model" || !isVector(spec)) continue;
    // What one operator of unknown kind makes in floats are its scores.
    if (origin.decision.kind === "node" && isFloat(spec)) continue;
    const { key } = origin.decision;
    labels.set(key, [...(labels.get(key) ?? []), output]);
  }
  const groups = [...labels].map(([key, members]) => ({
    decision: members[0]!.origin.decision!,
    labels: members.sort((a, b) => preference(a.spec) - preference(b.spec)),
    scores: scoresOf(key, read, labels),
  }));
  // Floats that are steps of a number and have no number beside them are what the model gives: a value.
  return groups.filter(({ labels: members, scores }) => scores.length > 0 || !isFloat(members[0]!.spec));
}

/** The float outputs that are nearest to this decision of all. */
function scoresOf(
  key: string,
  read: readonly ReadOutput[],
  labels: ReadonlyMap<string, readonly ReadOutput[]>,
): ReadOutput[] {
  return read.filter(({ spec, origin }) => {
    if (
      !isFloat(spec) ||
      origin.kind !== "model" ||
      (origin.decision?.key === key && origin.decision.kind !== "node")
    )
      return false;
    if (!isVector(spec) && !isFloatMatrix(spec)) return false;
    const steps = origin.nearness.get(key) ?? 0;
    return steps > 0 && [...labels.keys()].every((other) => (origin.nearness.get(other) ?? 0) <= steps);
  });
}

function readGroup(group: Group, read: readonly ReadOutput[], unit: UnitOutputs): DecisionReading {
  const label = group.labels[0]!;
  const fitting = fittingScores(group);
  const best = bestOf(fitting, group.decision.key, unit);
  if (best.length === 0) {
    const why =
      group.decision.kind === "lowest"
        ? "the label is the lowest of them"
        : "they have no value for each class";
    return {
      score: undefined,
      label,
      notices: [`no score: ${listed(group.scores)} is not read as one, because ${why}`],
    };
  }
  if (best.length > 1) {
    return { score: undefined, label, notices: [`no score: ${listed(best)} may each be it`] };
  }
  const score = best[0]!;
  const rivals = otherValues(group, read);
  if (isVector(score.spec) && rivals.length > 0) {
    const notice = `no score: ${listed([score, ...rivals])} come from several heads of the model`;
    return { score: undefined, label: undefined, notices: [notice] };
  }
  return { score, label, notices: [] };
}

/** Outputs of one number a row that another part of the model gives. */
function otherValues(group: Group, read: readonly ReadOutput[]): ReadOutput[] {
  return read.filter(
    ({ spec, origin }) =>
      isFloat(spec) &&
      isVector(spec) &&
      origin.kind === "model" &&
      origin.decision === undefined &&
      !origin.nearness.has(group.decision.key),
  );
}

/** Those that have a value for each class, or one for the second of two. */
function fittingScores({ decision, scores }: Group): ReadOutput[] {
  const count = decision.classes?.length;
  if (decision.kind === "lowest") return [];
  return scores.filter(({ spec, origin }) => {
    if (isVector(spec)) return count === undefined || count <= 2 || origin.isHighest === true;
    const columns = spec.shape[1]!;
    const fits = columns === -1 || count === undefined || columns === count;
    return fits && !(origin.svmPairs && (columns !== 2 || (count ?? 2) !== 2));
  });
}

/** Probabilities before raw values, a column for each class before one, and what the class was decided over before the rest. */
function bestOf(scores: readonly ReadOutput[], key: string, unit: UnitOutputs): ReadOutput[] {
  const rank = ({ spec, origin }: ReadOutput): number => {
    const seen = unit.get(spec.name);
    const likely = seen === false ? 0 : origin.probability === 1 && seen === true ? 2 : origin.probability;
    return likely * 100 + (isVector(spec) ? 0 : 10) + (origin.nearness.get(key) ?? 0);
  };
  const highest = Math.max(...scores.map(rank));
  const best = scores.filter((output) => rank(output) === highest);
  return best.filter(
    ({ origin: { base } }, index) =>
      base === "" || best.findIndex((other) => other.origin.base === base) === index,
  );
}

function severalHeads(groups: readonly Group[], unit: UnitOutputs): DecisionReading {
  const scores = groups.flatMap((group) => bestOf(fittingScores(group), group.decision.key, unit));
  const labels = groups.map(({ labels: [label] }) => label!);
  const notice = `no score: ${listed(labels)} are labels of several heads of the model, with the scores ${listed(scores)}`;
  return { score: undefined, label: undefined, notices: [notice] };
}

/** Labels without scores of their own. */
function labelsOnly(
  groups: readonly Group[],
  read: readonly ReadOutput[],
  unit: UnitOutputs,
): DecisionReading {
  const values = read.filter(
    ({ spec, origin }) =>
      isFloat(spec) && isVector(spec) && origin.kind === "model" && origin.decision === undefined,
  );
  const labels = groups.map(({ labels: [label] }) => label!);
  const value = onlyValue(values, unit);
  if (value !== undefined) {
    const notice = `no labels: ${listed(labels)} does not come from what gives the score, ${listed([value])}`;
    return { score: value, label: undefined, notices: [notice] };
  }
  if (values.length > 0) {
    return { score: undefined, label: undefined, notices: [`no score: ${listed(values)} may each be it`] };
  }
  if (labels.length === 1) {
    const matrices = read.filter(({ spec, origin }) => isFloatMatrix(spec) && origin.kind === "model");
    const notice = `no score: ${listed(matrices)} does not come from what decides ${listed(labels)}`;
    return { score: undefined, label: labels[0], notices: matrices.length > 0 ? [notice] : [] };
  }
  return { score: undefined, label: undefined, notices: [`no labels: ${listed(labels)} may each be it`] };
}
