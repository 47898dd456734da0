import {
  BLOCK_ROWS,
  blockPlaneBytes,
  blockScoreBytes,
  type KernelShape,
  LEAF_BIT,
  LEAF_MASK,
  PLANE_BYTES,
  planeBits,
  TABLE_BYTES,
  WALK_TREE_BYTES,
} from "./kernel-shape.ts";
import { addLeaves, combineScalar } from "./score-code.ts";
import { FunctionCode, I32, type ModuleFunction } from "./wasm-module.ts";

/** Steps between two looks at whether all have reached a leaf. */
const STEPS_A_LOOK = 3;

/**
 * `walkRows(tree, treesEnd, planes, planesEnd, scores)`: takes the rows of each block through each tree, eight side by side so that
 * the reads of one wait for nothing but themselves, and adds what their leaves say. Trees are the outer loop: their nodes stay in
 * the cache for all blocks.
 */
export function walkRows(shape: KernelShape): ModuleFunction {
  const [tree, treesEnd, planes, planesEnd, scores] = [0, 1, 2, 3, 4];
  const code = new FunctionCode(5);
  const root = code.local(I32);
  const block = code.local(I32);
  const score = code.local(I32);
  const walk = new Walk(code, shape);
  const add = addLeaves(code, shape, (row) => {
    code.get(walk.nodes[row]!).load("i32.load").i32(LEAF_MASK).op("i32.and");
    code.i32(shape.scoreBytes === 4 ? 2 : 3).op("i32.shl");
  });
  code.until(tree, treesEnd, () => {
    code.get(tree).load("i32.load").set(root);
    code.get(planes).set(block).get(scores).set(score);
    code.until(block, planesEnd, () => {
      for (const node of walk.nodes) code.get(root).set(node);
      walk.toLeaves(
        () => root,
        (row) => {
          code
            .get(block)
            .op("i32.add")
            .load("f32.load", row * 4);
        },
      );
      add(tree, 4, score);
      code.advance(block, blockPlaneBytes(shape)).advance(score, blockScoreBytes(shape));
    });
    code.advance(tree, WALK_TREE_BYTES);
  });
  return { name: "walkRows", parameterCount: 5, code };
}

/**
 * `walkTrees(tree, treesEnd, planes, scores)`: takes one row, the first of its block, through eight trees at a time. The list of
 * trees is filled up to a multiple of eight with trees of one leaf and no tables.
 */
export function walkTrees(shape: KernelShape): ModuleFunction {
  const [tree, treesEnd, planes, scores] = [0, 1, 2, 3];
  const { scoreBytes } = shape;
  const code = new FunctionCode(4);
  const roots = Array.from({ length: BLOCK_ROWS }, () => code.local(I32));
  const table = code.local(I32);
  const tablesEnd = code.local(I32);
  const target = code.local(I32);
  const walk = new Walk(code, shape);
  const combine = combineScalar(code, shape);
  const load = scoreBytes === 4 ? "f32.load" : "f64.load";
  code.until(tree, treesEnd, () => {
    roots.forEach((root, lane) => {
      code
        .get(tree)
        .load("i32.load", lane * WALK_TREE_BYTES)
        .tee(root)
        .set(walk.nodes[lane]!);
    });
    walk.toLeaves(
      (lane) => roots[lane]!,
      () => code.get(planes).op("i32.add").load("f32.load"),
    );
    walk.nodes.forEach((node, lane) => {
      code
        .get(tree)
        .load("i32.load", lane * WALK_TREE_BYTES + 4)
        .set(table);
      code
        .get(tree)
        .load("i32.load", lane * WALK_TREE_BYTES + 8)
        .set(tablesEnd);
      code.get(node).load("i32.load").i32(LEAF_MASK).op("i32.and");
      code
        .i32(scoreBytes === 4 ? 2 : 3)
        .op("i32.shl")
        .set(node);
      code.until(table, tablesEnd, () => {
        code.get(table).load("i32.load").get(scores).op("i32.add").set(target);
        combine(target, () => code.get(table).load("i32.load", 4).get(node).op("i32.add").load(load));
        code.advance(table, TABLE_BYTES);
      });
    });
    code.advance(tree, WALK_TREE_BYTES * BLOCK_ROWS);
  });
  return { name: "walkTrees", parameterCount: 4, code };
}

/** Eight places in trees, and the instructions that lead them down. */
class Walk {
  readonly nodes: readonly number[];
  readonly #code: FunctionCode;
  readonly #word: number;
  readonly #words: number;
  readonly #bits: number;

  constructor(code: FunctionCode, { planeCount }: KernelShape) {
    this.#code = code;
    this.nodes = Array.from({ length: BLOCK_ROWS }, () => code.local(I32));
    this.#word = code.local(I32);
    this.#words = code.local(I32);
    this.#bits = planeBits(planeCount);
  }

  /** `loadPlane` turns the offset of a plane on the stack into the number that the lane has there. */
  toLeaves(rootOf: (lane: number) => number, loadPlane: (lane: number) => void): void {
    const code = this.#code;
    code.doWhile(
      () => {
        for (let step = 1; step < STEPS_A_LOOK; step++)
          for (const lane of this.nodes.keys()) this.#step(lane, rootOf(lane), loadPlane);
        code.i32(-1).set(this.#words);
        this.nodes.forEach((_, lane) => {
          this.#step(lane, rootOf(lane), loadPlane);
          code.get(this.#words, this.#word).op("i32.and").set(this.#words);
        });
      },
      () => code.get(this.#words).i32(LEAF_BIT).op("i32.and", "i32.eqz"),
    );
  }

  /** A leaf leads to itself, as nothing is greater than its NaN. */
  #step(lane: number, root: number, loadPlane: (lane: number) => void): void {
    const code = this.#code;
    const node = this.nodes[lane]!;
    const planeMask = (1 << this.#bits) - PLANE_BYTES;
    code.get(node).load("i32.load", 4).tee(this.#word).i32(planeMask).op("i32.and");
    loadPlane(lane);
    code.get(node).load("f32.load").op("f32.gt");
    code.get(this.#word).i32(this.#bits).op("i32.shr_u", "i32.add").i32(3).op("i32.shl");
    code.get(root).op("i32.add").set(node);
  }
}
