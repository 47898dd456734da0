import { type TreeEnsemble, TreeError } from "../../model/trees/tree-ensemble.ts";
import type { SplitTree } from "./split-trees.ts";

/** What one tree adds to one target, by the number of the leaf. */
export interface LeafTable {
  readonly target: number;
  readonly values: readonly number[];
}

/** What the trees of an ensemble add. */
export interface LeafTables {
  /** Of each tree: the targets that its leaves have weights for, ascending. */
  readonly byTree: readonly (readonly LeafTable[])[];
  /** By target: some leaf of every row has a weight for it. */
  readonly isScored: readonly boolean[];
}

/**
 * Lays out the weights of an ensemble. Throws TreeError where a leaf has two weights for one target, or where it depends on the row
 * whether a target has any weight and that matters: ONNX Runtime does something of its own there.
 */
export function leafTables(ensemble: TreeEnsemble, trees: readonly SplitTree[]): LeafTables {
  const { leafWeights, targetCount, aggregate } = ensemble;
  const weights = new Map<number, Map<number, number>>();
  leafWeights.leaves.forEach((leaf, entry) => {
    const target = leafWeights.targets[entry]!;
    const ofLeaf = weights.get(leaf) ?? new Map<number, number>();
    if (ofLeaf.has(target)) throw new TreeError("a leaf has two weights for one target");
    weights.set(leaf, ofLeaf.set(target, leafWeights.weights[entry]!));
  });
  const isSum = aggregate === "SUM" || aggregate === "AVERAGE";
  const absent = isSum ? 0 : aggregate === "MIN" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const always = new Array<boolean>(targetCount).fill(false);
  const sometimes = new Array<boolean>(targetCount).fill(false);
  const byTree = trees.map(({ leaves }) => {
    const counts = new Map<number, number>();
    for (const leaf of leaves)
      for (const target of weights.get(leaf)?.keys() ?? []) counts.set(target, (counts.get(target) ?? 0) + 1);
    const targets = [...counts.keys()].sort((a, b) => a - b);
    for (const target of targets) (counts.get(target) === leaves.length ? always : sometimes)[target] = true;
    return targets.map((target) => ({
      target,
      values: leaves.map((leaf) => weights.get(leaf)?.get(target) ?? absent),
    }));
  });
  const isUnsure = always.some((isAlways, target) => !isAlways && sometimes[target]);
  const matters = ensemble.labels !== undefined || !isSum || ensemble.baseValues.length > 0;
  if (isUnsure && matters) throw new TreeError("some rows reach no weight of a target");
  return { byTree, isScored: always };
}
