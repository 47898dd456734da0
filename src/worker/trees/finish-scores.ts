/**
 * From what trees say together to the outputs of the operator: base values, the transform, a classifier's label. As ONNX Runtime
 * does it, also where the operator's specification leaves it open (two classes with weights for one, base values of another count).
 */
import {
  type PostTransform,
  type TreeEnsemble,
  TreeError,
  type TreeLabels,
} from "../../model/trees/tree-ensemble.ts";

/** Turns sums into scores in place, and returns of classifiers the place of each row's label among the labels. */
type FinishScores = (sums: Float32Array | Float64Array, rowCount: number) => Int32Array | undefined;

/** How the outputs of an ensemble are made of what its trees say together. */
export interface Finisher {
  readonly finish: FinishScores;
  /** Of classifiers. */
  readonly labels: TreeLabels | undefined;
}

/** Chooses how the sums of an ensemble are finished; `isScored` says by target whether the trees have weights for it. Throws TreeError. */
export function finisherOf(ensemble: TreeEnsemble, isScored: readonly boolean[]): Finisher {
  const { labels, targetCount } = ensemble;
  // Its logarithm differs by more than the last bit between libraries, and what is made of it by much more.
  if (ensemble.postTransform === "PROBIT") throw new TreeError("PROBIT differs in more than the last digits");
  if (labels === undefined)
    return {
      finish: targetCount === 1 ? oneTarget(ensemble) : manyTargets(ensemble, isScored),
      labels,
    };
  if (targetCount < 2) throw new TreeError("it is a classifier of one class");
  if (targetCount > 2) return { finish: manyClasses(ensemble, isScored), labels };
  const isBoth = isScored.every((scored) => scored);
  // With weights for both classes ONNX Runtime gives 0 and 1, whatever integers the labels are.
  const given: TreeLabels =
    isBoth && labels.kind === "integers" ? { kind: "integers", values: [0n, 1n] } : labels;
  return { finish: twoClasses(ensemble, isScored), labels: given };
}

/** A regression of one target is not transformed. */
function oneTarget({ aggregate, baseValues, roots }: TreeEnsemble): FinishScores {
  const base = baseValues.length === 1 ? baseValues[0]! : 0;
  const divisor = aggregate === "AVERAGE" ? roots.length : 1;
  return (sums, rowCount) => {
    if (divisor !== 1) for (let row = 0; row < rowCount; row++) sums[row] = sums[row]! / divisor;
    if (base !== 0) for (let row = 0; row < rowCount; row++) sums[row] = sums[row]! + base;
    return undefined;
  };
}

function manyTargets(ensemble: TreeEnsemble, isScored: readonly boolean[]): FinishScores {
  const { aggregate, baseValues, postTransform, roots, targetCount } = ensemble;
  const divisor = aggregate === "AVERAGE" ? roots.length : 1;
  const base = baseValues.length === targetCount ? baseValues : undefined;
  return (sums, rowCount) => {
    for (let at = 0; at < rowCount * targetCount; at++) {
      const target = at % targetCount;
      if (divisor !== 1) sums[at] = sums[at]! / divisor;
      if (base !== undefined) sums[at] = sums[at]! + base[target]!;
      // ONNX Runtime leaves out the base value, too, where no tree has a weight.
      if (!isScored[target]) sums[at] = 0;
    }
    transform(sums, rowCount, targetCount, postTransform);
    return undefined;
  };
}

function manyClasses(ensemble: TreeEnsemble, isScored: readonly boolean[]): FinishScores {
  const { baseValues, postTransform, targetCount } = ensemble;
  const counts = isScored.map((scored, target) => scored || target < baseValues.length);
  return (sums, rowCount) => {
    const labels = new Int32Array(rowCount);
    for (let row = 0; row < rowCount; row++) {
      const from = row * targetCount;
      let best = -1;
      for (let target = 0; target < targetCount; target++) {
        if (target < baseValues.length) sums[from + target] = sums[from + target]! + baseValues[target]!;
        if (counts[target] && (best === -1 || sums[from + target]! > sums[from + best]!)) best = target;
      }
      labels[row] = best;
    }
    transform(sums, rowCount, targetCount, postTransform);
    return labels;
  };
}

function twoClasses(ensemble: TreeEnsemble, isScored: readonly boolean[]): FinishScores {
  const { baseValues, postTransform, leafWeights } = ensemble;
  const [hasFirst, hasSecond] = isScored;
  const isPositive = leafWeights.weights.every((weight) => !(weight < 0));
  const limit = isPositive && !(hasFirst && hasSecond) ? 0.5 : 0;
  const isOneColumn = !hasSecond && baseValues.length < 2;
  return (sums, rowCount) => {
    const labels = new Int32Array(rowCount);
    for (let row = 0; row < rowCount; row++) {
      const at = row * 2;
      addTwoBases(sums, at, baseValues, hasFirst === true, hasSecond === true);
      labels[row] = sums[hasSecond ? at + 1 : at]! > limit ? 1 : 0;
      if (!isOneColumn) continue;
      const score = sums[at]!;
      if (postTransform === "LOGISTIC") {
        sums[at + 1] = logistic(score);
        sums[at] = logistic(-score);
      } else {
        sums[at + 1] = score;
        sums[at] = isPositive ? 1 - score : -score;
      }
    }
    if (!isOneColumn) transform(sums, rowCount, 2, postTransform);
    return labels;
  };
}

/** A class without weights stays at 0. */
function addTwoBases(
  sums: Float32Array | Float64Array,
  at: number,
  bases: ArrayLike<number>,
  hasFirst: boolean,
  hasSecond: boolean,
): void {
  if (bases.length === 2 && hasSecond) {
    // Whatever the weights of the second class are.
    sums[at + 1] = bases[1]! + sums[at]!;
    if (hasFirst) sums[at] = -sums[at + 1]!;
  } else if (bases.length > 0 && hasFirst) sums[at] = sums[at]! + bases[0]!;
}

function transform(
  scores: Float32Array | Float64Array,
  rowCount: number,
  width: number,
  kind: PostTransform,
): void {
  const count = rowCount * width;
  switch (kind) {
    case "NONE":
      return;
    case "LOGISTIC":
      for (let at = 0; at < count; at++) scores[at] = logistic(scores[at]!);
      return;
    default:
      for (let row = 0; row < rowCount; row++) softmax(scores, row * width, width, kind === "SOFTMAX_ZERO");
  }
}

/** In single precision at each step, of double precision too. */
function logistic(value: number): number {
  const { fround } = Math;
  const upper = fround(1 / fround(1 + fround(Math.exp(-Math.abs(fround(value))))));
  return value < 0 ? fround(1 - upper) : upper;
}

/** With `zeroStays`, a score of nearly zero is no evidence: it takes no share of what the others share. */
function softmax(scores: Float32Array | Float64Array, from: number, width: number, zeroStays: boolean): void {
  let largest = -3.4028234663852886e38;
  for (let at = from; at < from + width; at++) if (scores[at]! > largest) largest = scores[at]!;
  const rest = Math.exp(-largest);
  let sum = 0;
  for (let at = from; at < from + width; at++) {
    const score = scores[at]!;
    if (zeroStays && !(score > 0.0000001 || score < -0.0000001)) scores[at] = score * rest;
    else {
      scores[at] = Math.exp(score - largest);
      sum += scores[at]!;
    }
  }
  for (let at = from; at < from + width; at++) scores[at] = scores[at]! / sum;
}
