import { type TreeEnsemble, TreeError } from "../../model/trees/tree-ensemble.ts";
import type { SplitTree } from "./split-trees.ts";

/** What one tree adds to one target, by the number of the leaf. */
export interface LeafTable {
  readonly target: number;
  readonly values: Float64Array;
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
  const isSum = aggregate === "SUM" || aggregate === "AVERAGE";
  const absent = isSum ? 0 : aggregate === "MIN" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const entries = entriesByLeaf(leafWeights.leaves, ensemble.nodes.modes.length);
  const always = new Array<boolean>(targetCount).fill(false);
  const sometimes = new Array<boolean>(targetCount).fill(false);
  const byTree = trees.map(({ leaves }) => {
    const tables = new Map<number, { readonly values: Float64Array; count: number; last: number }>();
    for (const [place, leaf] of leaves.entries()) {
      for (let at = entries.starts[leaf]!; at < entries.starts[leaf + 1]!; at++) {
        const entry = entries.order[at]!;
        const target = leafWeights.targets[entry]!;
        let table = tables.get(target);
        if (table === undefined) {
          table = { values: new Float64Array(leaves.length).fill(absent), count: 0, last: -1 };
          tables.set(target, table);
        }
        if (table.last === place) throw new TreeError("a leaf has two weights for one target");
        table.last = place;
        table.count++;
        table.values[place] = leafWeights.weights[entry]!;
      }
    }
    const sorted = [...tables].sort(([a], [b]) => a - b);
    for (const [target, { count }] of sorted) (count === leaves.length ? always : sometimes)[target] = true;
    return sorted.map(([target, { values }]) => ({ target, values }));
  });
  const isUnsure = always.some((isAlways, target) => !isAlways && sometimes[target]);
  const matters = ensemble.labels !== undefined || !isSum || ensemble.baseValues.length > 0;
  if (isUnsure && matters) throw new TreeError("some rows reach no weight of a target");
  return { byTree, isScored: always };
}

/** The entries of each leaf: `order` from `starts[leaf]` to `starts[leaf + 1]`. */
function entriesByLeaf(
  leaves: Float64Array,
  nodeCount: number,
): { readonly starts: Int32Array; readonly order: Int32Array } {
  const starts = new Int32Array(nodeCount + 1);
  for (const leaf of leaves) starts[leaf + 1]!++;
  for (let leaf = 0; leaf < nodeCount; leaf++) starts[leaf + 1]! += starts[leaf]!;
  const next = starts.slice();
  const order = new Int32Array(leaves.length);
  leaves.forEach((leaf, entry) => {
    order[next[leaf]!++] = entry;
  });
  return { starts, order };
}
