import { TreeError } from "../../model/trees/tree-ensemble.ts";
import type { ConstantMemory } from "./constant-memory.ts";
import { BLOCK_ROWS, LEAF_BIT, LEAF_MASK, LEAF_NAN, PLANE_BYTES, planeBits } from "./kernel-shape.ts";
import type { LeafTable } from "./leaf-tables.ts";
import type { SplitTree } from "./split-trees.ts";

/** Addresses of what walking trees reads. */
export interface WalkLayout {
  readonly trees: number;
  readonly treesEnd: number;
  /** Behind the trees without leaves that fill the list up to a multiple of eight. */
  readonly filledEnd: number;
}

/** Lays out the nodes. Throws TreeError for trees that are too large for a node's word. */
export function layOutWalk(
  memory: ConstantMemory,
  trees: readonly SplitTree[],
  tables: readonly (readonly [number, number])[],
  planeCount: number,
): WalkLayout {
  const bits = planeBits(planeCount);
  const starts = trees.map((tree) => writeNodes(memory, tree, bits));
  const nowhere = writeNodes(memory, { planes: [-1], thresholds: [0], targets: [0], leaves: [0] }, bits);
  const first = memory.align();
  trees.forEach((_, tree) => {
    for (const word of [starts[tree]!, ...tables[tree]!]) memory.word(word);
  });
  const treesEnd = memory.end;
  const missing = (BLOCK_ROWS - (trees.length % BLOCK_ROWS)) % BLOCK_ROWS;
  for (let tree = 0; tree < missing; tree++) for (const word of [nowhere, first, first]) memory.word(word);
  return { trees: first, treesEnd, filledEnd: memory.end };
}

function writeNodes(
  memory: ConstantMemory,
  { planes, thresholds, targets, leaves }: SplitTree,
  bits: number,
) {
  if (planes.length > 2 ** (32 - bits) || leaves.length > LEAF_MASK)
    throw new TreeError(`a tree has ${planes.length} nodes, too many beside its columns`);
  const start = memory.align();
  planes.forEach((plane, at) => {
    if (plane === -1) {
      memory.word((LEAF_NAN | targets[at]!) >>> 0);
      memory.word((at * 2 ** bits + LEAF_BIT) >>> 0);
    } else {
      memory.float(thresholds[at]!);
      memory.word((targets[at]! * 2 ** bits + plane * PLANE_BYTES) >>> 0);
    }
  });
  return start;
}

/** Writes the tables of all trees, and the records that name them; returns from where to where each tree's records lie. */
export function writeTables(
  memory: ConstantMemory,
  byTree: readonly (readonly LeafTable[])[],
  scoreBytes: 4 | 8,
): (readonly [number, number])[] {
  memory.align();
  const starts = byTree.map((tables) =>
    tables.map(({ values }) => {
      const start = memory.end;
      for (const value of values) {
        if (scoreBytes === 4) memory.float(value);
        else memory.double(value);
      }
      return start;
    }),
  );
  memory.align();
  return byTree.map((tables, tree) => {
    const from = memory.end;
    tables.forEach(({ target }, at) => {
      memory.word(target * BLOCK_ROWS * scoreBytes);
      memory.word(starts[tree]![at]!);
    });
    return [from, memory.end] as const;
  });
}
