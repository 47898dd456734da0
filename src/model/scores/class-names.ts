import type { TensorSpec } from "../signature.ts";
import type { DecisionFacts, OutputOrigin, OutputOrigins } from "./output-origins.ts";
import { isFloatMatrix } from "./read-output.ts";

/**
 * Names the columns of outputs that have a value for each class: by config.json, else by the labels that are given `byOutput`, else by
 * what the output says itself, else by the classes of the label that is decided over it. Outputs whose width is another have no names.
 */
export function nameClasses(
  outputs: readonly TensorSpec[],
  origins: OutputOrigins,
  configured: readonly string[],
  byOutput: ReadonlyMap<string, readonly string[]> = new Map(),
): TensorSpec[] {
  const decisions = new Map<string, DecisionFacts>();
  for (const { decision } of origins.values())
    if (decision !== undefined) decisions.set(decision.key, decision);
  return outputs.map((spec) => {
    const columns = isFloatMatrix(spec) ? spec.shape[1]! : 0;
    const origin = origins.get(spec.name);
    // The columns of an SVM stand for pairs of classes; with two classes, for either of one pair.
    const isPairs = origin?.svmPairs === true && columns !== 2;
    const found = isPairs ? [] : (origin?.ownClasses ?? classesOf(origin, decisions, columns));
    const given = byOutput.get(spec.name);
    // Values that no score is read from may have labels by any order.
    if (given !== undefined && columns === 0) return { ...spec, labels: given };
    const labels = configured.length > 0 ? configured : (given ?? found);
    const fits = columns === -1 || (columns > 1 && labels.length === columns);
    return { ...spec, labels: fits ? labels : [] };
  });
}

/** The classes of the decision that is made over these numbers. */
function classesOf(
  origin: OutputOrigin | undefined,
  decisions: ReadonlyMap<string, DecisionFacts>,
  columns: number,
): readonly string[] {
  const near = [...(origin?.nearness ?? [])].sort((a, b) => b[1] - a[1]);
  for (const [key] of near) {
    const decision = decisions.get(key);
    if (decision?.kind === "lowest") continue;
    if (decision?.classes !== undefined) return decision.classes;
    const first = decision?.firstPosition;
    if (first !== undefined && columns > 1) {
      return Array.from({ length: columns }, (_, position) => String(position + first));
    }
  }
  return [];
}
