import type { ConstantMemory } from "./constant-memory.ts";
import { BIT_ENTRY_STEP, BIT_ROWS, MAX_BIT_LEAVES, PLANE_BYTES } from "./kernel-shape.ts";
import type { SplitTree } from "./split-trees.ts";

/** Cuts of one byte plane: a byte counts from 0 to 255. */
const MAX_CUTS = 255;
/** Up to so many cuts a comparison each is faster than halving. */
const COUNTED_CUTS = 40;
const BITS = 8;

/** Addresses of what finding leaves by bits reads. */
export interface BitLayout {
  readonly trees: number;
  readonly treesEnd: number;
  readonly entries: number;
  readonly counted: number;
  readonly countedEnd: number;
  readonly searched: number;
  readonly searchedEnd: number;
  /** The first byte plane that is searched, and how many there are. */
  readonly countedPlanes: number;
  readonly bytePlanes: number;
}

/** Tells whether the leaves of all trees can be found by bits. */
export function fitsBits(trees: readonly SplitTree[]): boolean {
  return trees.every(({ leaves }) => leaves.length <= MAX_BIT_LEAVES);
}

/** Lays out the trees; `tables` are the addresses of each tree's tables, from and to. */
export function layOutBits(
  memory: ConstantMemory,
  trees: readonly SplitTree[],
  tables: readonly (readonly [number, number])[],
): BitLayout {
  const places = new CutPlaces(trees);
  const lists = places.write(memory);
  const entries = memory.align();
  const records: number[][] = [];
  for (const tree of trees) {
    const byBytes = entriesOf(tree, places);
    const ofTree: number[] = [];
    for (let byte = byBytes.length - 1; byte >= 0; byte--) {
      const list = byBytes[byte]!;
      while (list.length % BIT_ENTRY_STEP > 0) list.push({ plane: 0, limit: 0, gone: 0 });
      for (const { plane, limit, gone } of list) {
        memory.word(plane * BIT_ROWS);
        memory.byte((limit - 128) & 0xff);
        memory.byte(gone);
        memory.byte(0);
        memory.byte(0);
      }
      ofTree.push(memory.end, byte * BITS * 4);
    }
    records.push(ofTree);
  }
  const bytes = memory.align();
  for (const word of records.flat()) memory.word(word);
  const first = memory.align();
  let at = bytes;
  records.forEach((ofTree, tree) => {
    memory.word(at);
    at += ofTree.length * 4;
    memory.word(at);
    for (const table of tables[tree]!) memory.word(table);
  });
  return { trees: first, treesEnd: memory.end, entries, ...lists };
}

interface BitEntry {
  readonly plane: number;
  readonly limit: number;
  /** The leaves of the byte that lie left of the branch. */
  readonly gone: number;
}

function entriesOf(tree: SplitTree, places: CutPlaces): BitEntry[][] {
  const { planes, thresholds, targets, leaves } = tree;
  const first = new Array<number>(planes.length);
  const last = new Array<number>(planes.length);
  const byBytes = Array.from({ length: Math.ceil(leaves.length / BITS) }, (): BitEntry[] => []);
  // Children stand behind their parents.
  for (let at = planes.length - 1; at >= 0; at--) {
    const left = targets[at]!;
    if (planes[at] === -1) {
      first[at] = last[at] = left;
      continue;
    }
    first[at] = first[left]!;
    last[at] = last[left + 1]!;
    const place = places.find(planes[at]!, thresholds[at]!);
    for (let byte = Math.floor(first[left]! / BITS); byte * BITS <= last[left]!; byte++) {
      let gone = 0;
      for (let bit = 0; bit < BITS; bit++) {
        const leaf = byte * BITS + bit;
        if (leaf >= first[left]! && leaf <= last[left]!) gone |= 1 << bit;
      }
      byBytes[byte]!.push({ ...place, gone });
    }
  }
  return byBytes;
}

interface BytePlane {
  readonly plane: number;
  readonly cuts: readonly number[];
}

/** The byte planes, and which of them tells of a threshold. */
class CutPlaces {
  readonly #planes: readonly BytePlane[];
  readonly #countedPlanes: number;
  readonly #places = new Map<number, Map<number, { plane: number; limit: number }>>();

  constructor(trees: readonly SplitTree[]) {
    const cuts = new Map<number, Set<number>>();
    for (const tree of trees) {
      tree.planes.forEach((plane, at) => {
        if (plane === -1) return;
        const set = cuts.get(plane) ?? new Set();
        cuts.set(plane, set.add(tree.thresholds[at]!));
      });
    }
    const all = [...cuts].flatMap(([plane, set]) => {
      const sorted = Float64Array.from(set).sort();
      const count = Math.ceil(sorted.length / MAX_CUTS);
      return Array.from({ length: count }, (_, part) => ({
        plane,
        cuts: [...sorted.subarray(part * MAX_CUTS, (part + 1) * MAX_CUTS)],
      }));
    });
    const counted = all.filter((one) => one.cuts.length <= COUNTED_CUTS);
    this.#planes = [...counted, ...all.filter((one) => one.cuts.length > COUNTED_CUTS)];
    this.#countedPlanes = counted.length;
    this.#planes.forEach((one, bytePlane) => {
      const places = this.#places.get(one.plane) ?? new Map();
      for (const [limit, cut] of one.cuts.entries()) places.set(cut, { plane: bytePlane, limit });
      this.#places.set(one.plane, places);
    });
  }

  find(plane: number, threshold: number): { plane: number; limit: number } {
    return this.#places.get(plane)!.get(threshold)!;
  }

  write(
    memory: ConstantMemory,
  ): Pick<BitLayout, "counted" | "countedEnd" | "searched" | "searchedEnd" | "countedPlanes" | "bytePlanes"> {
    const places = this.#planes.map(({ cuts }, bytePlane) => {
      const from = memory.align();
      for (const cut of cuts) memory.float(cut);
      if (bytePlane < this.#countedPlanes) return [from, memory.end] as const;
      const size = 2 ** Math.ceil(Math.log2(cuts.length + 1));
      for (let filled = cuts.length; filled < size - 1; filled++) memory.float(Number.POSITIVE_INFINITY);
      return [from, (size / 2) * 4] as const;
    });
    const list = (from: number, to: number): readonly [number, number] => {
      const start = memory.align();
      for (let at = from; at < to; at++) {
        memory.word(this.#planes[at]!.plane * PLANE_BYTES);
        for (const word of places[at]!) memory.word(word);
      }
      return [start, memory.end];
    };
    const [counted, countedEnd] = list(0, this.#countedPlanes);
    const [searched, searchedEnd] = list(this.#countedPlanes, this.#planes.length);
    const { length: bytePlanes } = this.#planes;
    return {
      counted,
      countedEnd,
      searched,
      searchedEnd,
      countedPlanes: this.#countedPlanes,
      bytePlanes,
    };
  }
}
