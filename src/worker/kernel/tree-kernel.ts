import type { TreeEnsemble } from "../../model/trees/tree-ensemble.ts";
import { copyOctets } from "../../tensor/octet-copy.ts";
import { findLeaves } from "./bit-code.ts";
import { type BitLayout, fitsBits, layOutBits } from "./bit-layout.ts";
import { ConstantMemory } from "./constant-memory.ts";
import {
  BIT_ROWS,
  BLOCK_ROWS,
  blockPlaneBytes,
  blockScoreBytes,
  type KernelShape,
  PLANE_BYTES,
} from "./kernel-shape.ts";
import { leafTables } from "./leaf-tables.ts";
import { countCuts, type PlaneLists, searchCuts, spreadRows } from "./plane-code.ts";
import { fillPlanes, type RowNumbers } from "./plane-filling.ts";
import type { Plane, SplitTree, SplitTrees } from "./split-trees.ts";
import { walkRows, walkTrees } from "./walk-code.ts";
import { layOutWalk, type WalkLayout, writeTables } from "./walk-layout.ts";
import { moduleBytes } from "./wasm-module.ts";

/** Planes of so many bytes are made before the trees are walked: half of a usual second-level cache. */
const PLANE_CACHE_BYTES = 256 * 1024;
const MAX_BLOCKS = 64;
/** Up to so many rows go one by one through eight trees at a time: fewer where others would be found by bits, sixteen at once. */
const FEW_ROWS = 6;
const FEW_BIT_ROWS = 3;
const PAGE_BYTES = 65_536;
const MAX_MEMORY_BYTES = 2 ** 31;

interface Code {
  spreadRows(row: number, stride: number, lastRow: number, planes: number): void;
  walkRows(tree: number, treesEnd: number, planes: number, planesEnd: number, scores: number): void;
  walkTrees(tree: number, treesEnd: number, planes: number, scores: number): void;
  countCuts(list: number, listEnd: number, planes: number, bytes: number): void;
  searchCuts(list: number, listEnd: number, planes: number, bytes: number): void;
  findLeaves(
    tree: number,
    treesEnd: number,
    entry: number,
    bytes: number,
    scores: number,
    scratch: number,
  ): void;
}

/**
 * An ensemble in WebAssembly: rows in, what the trees say together out, before base values and transforms. Runs on the thread that
 * calls it and keeps no state between calls. Its memory is freed with it.
 */
export class TreeKernel {
  /** By target: the trees have weights for it. */
  readonly isScored: readonly boolean[];
  readonly #targetCount: number;
  readonly #planes: readonly Plane[];
  readonly #shape: KernelShape;
  readonly #code: Code;
  readonly #walk: WalkLayout;
  readonly #bits: BitLayout | undefined;
  readonly #memory: WebAssembly.Memory;
  readonly #blocks: number;
  readonly #first: number;
  readonly #areas: Areas;
  #scores: Float32Array | Float64Array;

  /** Of an ensemble and its trees. Throws TreeError where they do not fit, and WebAssembly's errors where there is no memory for it. */
  constructor(ensemble: TreeEnsemble, split: SplitTrees) {
    const { planes, trees } = sortPlanes(split.planes, split.trees);
    const { byTree, isScored } = leafTables(ensemble, trees);
    const { aggregate, targetCount, isDouble } = ensemble;
    const first = aggregate === "MIN" ? Number.POSITIVE_INFINITY : aggregate === "MAX" ? -Infinity : 0;
    this.isScored = isScored;
    this.#targetCount = targetCount;
    this.#planes = planes;
    this.#first = first;
    const shape: KernelShape = {
      scoreBytes: isDouble ? 8 : 4,
      combine: aggregate === "MIN" ? "min" : aggregate === "MAX" ? "max" : "add",
      targetCount,
      planeCount: Math.max(1, planes.length),
      valueCount: planes.filter(({ kind }) => kind === "value").length,
      highCount: planes.filter(({ kind }) => kind === "high").length,
    };
    this.#shape = shape;
    const constants = new ConstantMemory();
    const tables = writeTables(constants, byTree, shape.scoreBytes);
    this.#walk = layOutWalk(constants, trees, tables, shape.planeCount);
    this.#bits = fitsBits(trees) ? layOutBits(constants, trees, tables) : undefined;
    const lists = writeLists(constants, planes);
    const blocks = Math.floor(PLANE_CACHE_BYTES / blockPlaneBytes(shape));
    this.#blocks = Math.min(MAX_BLOCKS, Math.max(2, blocks - (blocks % 2)));
    this.#areas = areasBehind(constants.align(), shape, this.#blocks, this.#bits?.bytePlanes ?? 0);
    const pages = Math.ceil(this.#areas.end / PAGE_BYTES);
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: MAX_MEMORY_BYTES / PAGE_BYTES });
    new Uint8Array(this.#memory.buffer).set(constants.bytes);
    this.#scores = this.#scoresView();
    const functions = [spreadRows(shape, lists), walkRows(shape), walkTrees(shape)];
    if (this.#bits !== undefined) functions.push(countCuts(), searchCuts(), findLeaves(shape));
    const module = new WebAssembly.Module(moduleBytes(functions));
    const instance = new WebAssembly.Instance(module, { host: { memory: this.#memory } });
    this.#code = instance.exports as unknown as Code;
  }

  /** Sums what the trees say of `rowCount` rows of `columnCount` numbers, by row and target. */
  run(rows: RowNumbers, rowCount: number, columnCount: number, sums: Float32Array | Float64Array): void {
    const isFew = rowCount <= (this.#bits === undefined ? FEW_ROWS : FEW_BIT_ROWS);
    const chunkRows = isFew ? 1 : this.#blocks * BLOCK_ROWS;
    for (let row = 0; row < rowCount; row += chunkRows) {
      const count = Math.min(chunkRows, rowCount - row);
      this.#makePlanes(rows, row, count, columnCount);
      const scores = this.#scores;
      scores.fill(this.#first, 0, Math.ceil(count / BIT_ROWS) * BIT_ROWS * this.#targetCount);
      if (isFew) this.#walkOne();
      else if (this.#bits === undefined) this.#walkAll(count);
      else this.#findAll(this.#bits, count);
      this.#copyScores(scores, count, sums, row * this.#targetCount);
    }
  }

  #makePlanes(rows: RowNumbers, row: number, count: number, columnCount: number): void {
    const { planes: area } = this.#areas;
    if (!(rows instanceof Float32Array) || this.#shape.scoreBytes === 8) {
      const floats = new Float32Array(this.#memory.buffer, area, (this.#areas.scores - area) / 4);
      fillPlanes(this.#planes, rows, row, count, columnCount, floats, this.#shape.scoreBytes === 8);
      return;
    }
    // Copied once, into memory that the code can read.
    const stride = columnCount * 4;
    const at = this.#roomForRows(count * stride);
    const target = new Uint8Array(this.#memory.buffer, at, count * stride);
    copyOctets(new Uint8Array(rows.buffer, rows.byteOffset + row * stride, count * stride), target);
    const last = at + (count - 1) * stride;
    const blocks = count === 1 ? 1 : Math.ceil(count / BIT_ROWS) * 2;
    for (let block = 0; block < blocks; block++) {
      const planes = area + block * blockPlaneBytes(this.#shape);
      this.#code.spreadRows(at + block * BLOCK_ROWS * stride, stride, last, planes);
    }
  }

  #walkOne(): void {
    const { trees, filledEnd } = this.#walk;
    this.#code.walkTrees(trees, filledEnd, this.#areas.planes, this.#areas.scores);
  }

  #walkAll(count: number): void {
    const { planes, scores } = this.#areas;
    const planesEnd = planes + Math.ceil(count / BLOCK_ROWS) * blockPlaneBytes(this.#shape);
    this.#code.walkRows(this.#walk.trees, this.#walk.treesEnd, planes, planesEnd, scores);
  }

  #findAll(bits: BitLayout, count: number): void {
    const { bytes, scratch, planes, scores } = this.#areas;
    const code = this.#code;
    const searched = bytes + bits.countedPlanes * BIT_ROWS;
    for (let group = 0; group * BIT_ROWS < count; group++) {
      for (const half of [0, 1]) {
        const from = planes + (group * 2 + half) * blockPlaneBytes(this.#shape);
        code.countCuts(bits.counted, bits.countedEnd, from, bytes + half * BLOCK_ROWS);
        code.searchCuts(bits.searched, bits.searchedEnd, from, searched + half * BLOCK_ROWS);
      }
      const sums = scores + group * 2 * blockScoreBytes(this.#shape);
      code.findLeaves(bits.trees, bits.treesEnd, bits.entries, bytes, sums, scratch);
    }
  }

  /** From blocks by target to rows. */
  #copyScores(
    scores: Float32Array | Float64Array,
    count: number,
    sums: Float32Array | Float64Array,
    at: number,
  ): void {
    const targets = this.#targetCount;
    if (targets === 1) {
      for (let row = 0; row < count; row++) sums[at + row] = scores[row]!;
      return;
    }
    for (let row = 0; row < count; row++) {
      const lane = row % BLOCK_ROWS;
      const block = (row - lane) * targets + lane;
      for (let target = 0; target < targets; target++)
        sums[at + row * targets + target] = scores[block + target * BLOCK_ROWS]!;
    }
  }

  /** Makes room for rows behind all else and returns where it is. */
  #roomForRows(byteCount: number): number {
    const { end } = this.#areas;
    const missing = end + byteCount - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
      this.#scores = this.#scoresView();
    }
    return end;
  }

  #scoresView(): Float32Array | Float64Array {
    const { scores, bytes } = this.#areas;
    const View = this.#shape.scoreBytes === 4 ? Float32Array : Float64Array;
    return new View(this.#memory.buffer, scores, (bytes - scores) / this.#shape.scoreBytes);
  }
}

/** Where what changes from run to run lies. */
interface Areas {
  readonly planes: number;
  readonly scores: number;
  readonly bytes: number;
  readonly scratch: number;
  readonly end: number;
}

function areasBehind(start: number, shape: KernelShape, blocks: number, bytePlanes: number): Areas {
  const scores = start + blocks * blockPlaneBytes(shape);
  const bytes = scores + blocks * blockScoreBytes(shape);
  const scratch = bytes + Math.max(1, bytePlanes) * BIT_ROWS;
  return { planes: start, scores, bytes, scratch, end: scratch + 64 };
}

/** Planes by kind, as the code makes them. */
function sortPlanes(
  planes: readonly Plane[],
  trees: readonly SplitTree[],
): { planes: readonly Plane[]; trees: readonly SplitTree[] } {
  const order = (["value", "high", "flag"] as const).flatMap((kind) =>
    planes.flatMap((plane, place) => (plane.kind === kind ? [place] : [])),
  );
  const places = new Map(order.map((old, place) => [old, place]));
  return {
    planes: order.map((old) => planes[old]!),
    trees: trees.map((tree) => ({
      ...tree,
      planes: tree.planes.map((plane) => (plane === -1 ? -1 : places.get(plane)!)),
    })),
  };
}

function writeLists(memory: ConstantMemory, planes: readonly Plane[]): PlaneLists {
  const columns = (kind: Plane["kind"]): readonly [number, number] => {
    const from = memory.align();
    for (const plane of planes) if (plane.kind === kind) memory.word(plane.feature * 4);
    return [from, memory.end];
  };
  const flags = (valuesOf: (plane: Plane) => readonly number[]): readonly [number, number] => {
    const from = memory.align();
    planes.forEach((plane, place) => {
      if (plane.kind !== "flag") return;
      for (const value of valuesOf(plane)) {
        memory.word(plane.feature * 4);
        memory.word(place * PLANE_BYTES);
        memory.float(value);
      }
    });
    return [from, memory.end];
  };
  const [valueColumns, columnsEnd] = columns("value");
  const [highColumns, highColumnsEnd] = columns("high");
  const [equalFlags, equalFlagsEnd] = flags(({ equals }) => equals);
  const [nanFlags, nanFlagsEnd] = flags(({ nanIsFlag }) => (nanIsFlag ? [0] : []));
  return {
    columns: valueColumns,
    columnsEnd,
    highColumns,
    highColumnsEnd,
    equalFlags,
    equalFlagsEnd,
    nanFlags,
    nanFlagsEnd,
  };
}
