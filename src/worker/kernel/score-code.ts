import { BLOCK_ROWS, type KernelShape, TABLE_BYTES } from "./kernel-shape.ts";
import { F32, F64, type FunctionCode, I32, V128 } from "./wasm-module.ts";

const COMBINE = {
  add: { 4: "f32x4.add", 8: "f64x2.add" },
  min: { 4: "f32x4.pmin", 8: "f64x2.pmin" },
  max: { 4: "f32x4.pmax", 8: "f64x2.pmax" },
} as const;

/**
 * Instructions that add to the scores of `rowCount` rows what their leaves say in the tables of one tree. `pushOffset` leaves the
 * offset of a row's leaf in a table on the stack. They are given the local of the tree's record, the offset of its words for its
 * tables, and the local with the scores of its first block; `nextBlock` is the offset to the next.
 */
export function addLeaves(
  code: FunctionCode,
  shape: KernelShape,
  pushOffset: (row: number) => void,
  { rowCount, nextBlock }: { readonly rowCount: number; readonly nextBlock: number } = {
    rowCount: BLOCK_ROWS,
    nextBlock: 0,
  },
): (tree: number, tablesAt: number, scores: number) => void {
  const { scoreBytes, combine } = shape;
  const table = code.local(I32);
  const tablesEnd = code.local(I32);
  const values = code.local(I32);
  const target = code.local(I32);
  const sum = code.local(V128);
  const lanes = 16 / scoreBytes;
  return (tree, tablesAt, scores) => {
    code.get(tree).load("i32.load", tablesAt).set(table);
    code
      .get(tree)
      .load("i32.load", tablesAt + 4)
      .set(tablesEnd);
    code.until(table, tablesEnd, () => {
      code.get(table).load("i32.load", 4).set(values);
      code.get(table).load("i32.load").get(scores).op("i32.add").set(target);
      for (let row = 0; row < rowCount; row += lanes) {
        for (let lane = 0; lane < lanes; lane++) {
          pushOffset(row + lane);
          code.get(values).op("i32.add");
          if (lane === 0) code.load(scoreBytes === 4 ? "v128.load32_splat" : "v128.load64_splat");
          else code.get(sum).lane(scoreBytes === 4 ? "v128.load32_lane" : "v128.load64_lane", lane);
          code.set(sum);
        }
        const at = Math.floor(row / BLOCK_ROWS) * nextBlock + (row % BLOCK_ROWS) * scoreBytes;
        // The smaller or larger one: a new value takes the place of an old one only where it is smaller or larger.
        code.get(target, target).load("v128.load", at).get(sum).op(COMBINE[combine][scoreBytes]);
        code.store("v128.store", at);
      }
      code.advance(table, TABLE_BYTES);
    });
  };
}

/** Instructions that add one value to one score, whose address a local holds. */
export function combineScalar(
  code: FunctionCode,
  { scoreBytes, combine }: KernelShape,
): (target: number, pushValue: () => void) => void {
  const isFloat = scoreBytes === 4;
  const value = code.local(isFloat ? F32 : F64);
  const load = isFloat ? "f32.load" : "f64.load";
  const store = isFloat ? "f32.store" : "f64.store";
  return (target, pushValue) => {
    code.get(target);
    if (combine === "add") {
      code.get(target).load(load);
      pushValue();
      code.op(isFloat ? "f32.add" : "f64.add");
    } else {
      pushValue();
      code.tee(value).get(target).load(load);
      code.get(value).get(target).load(load);
      if (combine === "min") code.op(isFloat ? "f32.lt" : "f64.lt");
      else code.op(isFloat ? "f32.gt" : "f64.gt");
      code.op("select");
    }
    code.store(store);
  };
}
