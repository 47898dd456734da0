/**
 * Rows on which two ways to run an ensemble would differ, if they did: each follows the branches to some node of some tree, and its
 * column is at that node's threshold, next to it, missing, infinite or tiny.
 */

import { doubleBelow, floatBelow, numberAbove } from "../kernel/neighbour.ts";
import type { Plane, SplitTree, SplitTrees } from "../kernel/split-trees.ts";

const DENORMALS = [1e-40, -1e-40, 5e-324, 0, -0];
const LARGE = 3e38;

/** Says which numbers may stand in rows. */
export interface CheckRowKind {
  readonly columnCount: number;
  readonly isDouble: boolean;
  readonly isInteger: boolean;
}

/** Makes rows: `rowCount` of them, the same in every run with the same seed. */
export type MakeCheckRows = (rowCount: number, seed: number) => Float64Array;

/** Prepares to make rows for trees. */
export function checkRowsOf(split: SplitTrees, kind: CheckRowKind): MakeCheckRows {
  const cuts = cutsByColumn(split, kind.columnCount, seeded(1));
  return (rowCount, seed) => checkRows(split, kind, cuts, rowCount, seeded(seed * 7919));
}

function checkRows(
  split: SplitTrees,
  kind: CheckRowKind,
  cuts: readonly (readonly number[])[],
  rowCount: number,
  random: () => number,
): Float64Array {
  const { columnCount } = kind;
  const rows = new Float64Array(rowCount * columnCount);
  for (let row = 0; row < rowCount; row++) {
    const numbers = rows.subarray(row * columnCount, (row + 1) * columnCount);
    numbers.forEach((_, column) => {
      numbers[column] = anyNumber(cuts[column] ?? [], kind, random);
    });
    follow(split, split.trees[Math.floor(random() * split.trees.length)]!, numbers, kind, random);
  }
  if (kind.isInteger) return rows.map((number) => (Number.isFinite(number) ? Math.round(number) : 0));
  return rows;
}

/** Takes a row down a tree by setting columns as they come, and stops now and then on a threshold. */
function follow(
  { planes }: SplitTrees,
  tree: SplitTree,
  numbers: Float64Array,
  kind: CheckRowKind,
  random: () => number,
): void {
  let at = 0;
  const set = new Set<number>();
  while (tree.planes[at] !== -1) {
    const plane = planes[tree.planes[at]!]!;
    const isRight = random() < 0.5;
    if (!set.has(plane.feature)) {
      set.add(plane.feature);
      numbers[plane.feature] = numberFor(plane, tree.thresholds[at]!, isRight, kind, random);
    }
    at = tree.targets[at]! + (goesRight(plane, tree.thresholds[at]!, numbers[plane.feature]!) ? 1 : 0);
  }
}

function goesRight(plane: Plane, threshold: number, number: number): boolean {
  if (plane.kind === "flag")
    return plane.equals.includes(number) || (plane.nanIsFlag && Number.isNaN(number));
  if (Number.isNaN(number)) return plane.kind === "high";
  return number > cutOf(plane, threshold);
}

/** A number that goes one way by the narrowest margin, or another one that is special. */
function numberFor(
  plane: Plane,
  threshold: number,
  isRight: boolean,
  { isDouble, isInteger }: CheckRowKind,
  random: () => number,
): number {
  if (plane.kind === "flag") {
    const some = plane.equals[Math.floor(random() * plane.equals.length)] ?? 0;
    if (isRight) return plane.nanIsFlag && random() < 0.5 ? Number.NaN : some;
    return random() < 0.5 ? numberAbove(some, isDouble) : some + 0.5;
  }
  const cut = cutOf(plane, threshold);
  if (isInteger) return Math.floor(cut) + (isRight ? 1 : 0);
  if (random() < 0.1) return Number.NaN;
  if (isRight) return numberAbove(cut, isDouble);
  return random() < 0.5 ? cut : isDouble ? doubleBelow(cut) : floatBelow(cut);
}

function cutOf({ cuts }: Plane, threshold: number): number {
  return cuts === undefined ? threshold : cuts[Math.floor(threshold)]!;
}

function cutsByColumn({ planes, trees }: SplitTrees, columnCount: number, random: () => number): number[][] {
  const byColumn = Array.from({ length: columnCount }, (): number[] => []);
  for (const tree of trees) {
    tree.planes.forEach((place, at) => {
      const plane = planes[place];
      if (plane === undefined) return;
      const cuts = byColumn[plane.feature]!;
      const some = plane.equals[at % Math.max(1, plane.equals.length)] ?? 0;
      // A fraction beside a member is none.
      const cut =
        plane.kind === "flag" ? some + (random() < 0.5 ? 0 : 0.5) : cutOf(plane, tree.thresholds[at]!);
      if (cuts.length < 256) cuts.push(cut);
      else cuts[Math.floor(random() * 256)] = cut;
    });
  }
  return byColumn;
}

function anyNumber(cuts: readonly number[], { isDouble }: CheckRowKind, random: () => number): number {
  const chance = random();
  if (chance < 0.06) return Number.NaN;
  if (chance < 0.08) return random() < 0.5 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  if (chance < 0.12) return DENORMALS[Math.floor(random() * DENORMALS.length)]!;
  if (chance < 0.14) return (random() < 0.5 ? -1 : 1) * LARGE;
  const cut = cuts[Math.floor(random() * cuts.length)] ?? Math.round(random() * 8 - 4);
  if (chance < 0.6) return cut;
  return isDouble ? doubleBelow(cut) : numberAbove(cut, false);
}

/** The same numbers in every run: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}
