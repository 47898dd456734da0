import {
  BIT_BYTE_BYTES,
  BIT_ENTRY_BYTES,
  BIT_ENTRY_STEP,
  BIT_ROWS,
  BIT_TREE_BYTES,
  blockScoreBytes,
  type KernelShape,
} from "./kernel-shape.ts";
import { addLeaves } from "./score-code.ts";
import { FunctionCode, I32, type ModuleFunction, V128 } from "./wasm-module.ts";

const NONE = 0xff;
/** Four times the place of the only bit of a half-byte. */
const LOW_BIT = sixteen({ 0: NONE, 1: 0, 2: 4, 4: 8, 8: 12 });
const HIGH_BIT = sixteen({ 0: NONE, 1: 16, 2: 20, 4: 24, 8: 28 });

/**
 * `findLeaves(tree, treesEnd, entry, bytes, scores, scratch)`: for sixteen rows, which leaf of each tree they reach, and adds what
 * it says. Each branch that sends a row right rules out the leaves on its left; the first leaf that nothing rules out is reached.
 * So no row waits for another, and one comparison serves sixteen. After QuickScorer and RapidScorer (doi:10.1145/2766462.2767733,
 * doi:10.1145/3219819.3219857).
 */
export function findLeaves(shape: KernelShape): ModuleFunction {
  const [tree, treesEnd, entry, bytes, scores, scratch] = [0, 1, 2, 3, 4, 5];
  const code = new FunctionCode(6);
  const byte = code.local(I32);
  const bytesEnd = code.local(I32);
  const entriesEnd = code.local(I32);
  const gone = code.local(V128);
  const left = code.local(V128);
  const someLeft = code.local(V128);
  const found = code.local(V128);
  const foundAt = code.local(V128);
  const nothing = code.local(V128);
  const add = addLeaves(
    code,
    shape,
    (row) => {
      code.get(scratch).load("i32.load8_u", row);
      if (shape.scoreBytes === 8) code.i32(1).op("i32.shl");
    },
    { rowCount: BIT_ROWS, nextBlock: blockScoreBytes(shape) },
  );
  code.until(tree, treesEnd, () => {
    code.get(tree).load("i32.load").set(byte);
    code.get(tree).load("i32.load", 4).set(bytesEnd);
    // From the last leaves to the first, which win.
    code.until(byte, bytesEnd, () => {
      code.get(byte).load("i32.load").set(entriesEnd);
      code.get(nothing).set(gone);
      code.until(entry, entriesEnd, () => {
        for (let one = 0; one < BIT_ENTRY_STEP; one++) {
          const at = one * BIT_ENTRY_BYTES;
          code.get(entry).load("i32.load", at).get(bytes).op("i32.add").load("v128.load");
          code
            .get(entry)
            .load("v128.load8_splat", at + 4)
            .op("i8x16.gt_s");
          code
            .get(entry)
            .load("v128.load8_splat", at + 5)
            .op("v128.and");
          code.get(gone).op("v128.or").set(gone);
        }
        code.advance(entry, BIT_ENTRY_BYTES * BIT_ENTRY_STEP);
      });
      code.get(gone).op("v128.not").tee(left).get(nothing).op("i8x16.ne").set(someLeft);
      code.get(left, found, someLeft).op("v128.bitselect").set(found);
      code.get(byte).load("v128.load8_splat", 4).get(foundAt, someLeft).op("v128.bitselect").set(foundAt);
      code.advance(byte, BIT_BYTE_BYTES);
    });
    // The lowest bit alone, then its place.
    code.get(found, found).op("i8x16.neg", "v128.and").set(found);
    code.v128(LOW_BIT).get(found).v128(sixteenOf(0x0f)).op("v128.and", "i8x16.swizzle");
    code.v128(HIGH_BIT).get(found).i32(4).op("i8x16.shr_u", "i8x16.swizzle", "i8x16.min_u");
    code.get(foundAt).op("i8x16.add").set(found);
    code.get(scratch, found).store("v128.store");
    add(tree, 8, scores);
    code.advance(tree, BIT_TREE_BYTES);
  });
  return { name: "findLeaves", parameterCount: 6, code };
}

function sixteen(values: Readonly<Record<number, number>>): number[] {
  return Array.from({ length: 16 }, (_, at) => values[at] ?? 0);
}

function sixteenOf(value: number): number[] {
  return new Array<number>(16).fill(value);
}
