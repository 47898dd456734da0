import { BLOCK_ROWS, BYTE_PLANE_BYTES, FLAG_BYTES, type KernelShape, PLANE_BYTES } from "./kernel-shape.ts";
import { F32, FunctionCode, I32, type ModuleFunction, V128 } from "./wasm-module.ts";

const LANES = 4;
const INFINITY_BITS = 0x7f800000;
const ONE_BITS = 0x3f800000;
const SIGN = new Array<number>(16).fill(0x80);
/** Where the second half of a block's rows lies in a plane. */
const HALF = LANES * 4;

/** Where the lists of planes lie: words with columns' offsets, then FLAG_BYTES records. */
export interface PlaneLists {
  readonly columns: number;
  readonly columnsEnd: number;
  readonly highColumns: number;
  readonly highColumnsEnd: number;
  /** Equal to a value; NaN. */
  readonly equalFlags: number;
  readonly equalFlagsEnd: number;
  readonly nanFlags: number;
  readonly nanFlagsEnd: number;
}

/** `spreadRows(row, stride, lastRow, planes)`: makes the planes of a block; rows behind the last one are its copies. */
export function spreadRows(shape: KernelShape, lists: PlaneLists): ModuleFunction {
  const [row, stride, lastRow, planes] = [0, 1, 2, 3];
  const code = new FunctionCode(4);
  const rows = Array.from({ length: BLOCK_ROWS }, () => code.local(I32));
  const list = code.local(I32);
  const listEnd = code.local(I32);
  const column = code.local(I32);
  const plane = code.local(I32);
  const numbers = code.local(V128);
  const compared = code.local(V128);
  const loadRows = (from: number) => {
    for (let lane = 0; lane < LANES; lane++) {
      code.get(rows[from + lane]!, column).op("i32.add");
      if (lane === 0) code.load("v128.load32_splat");
      else code.get(numbers).lane("v128.load32_lane", lane);
      code.set(numbers);
    }
  };
  const each = (from: number, to: number, step: number, body: () => void) => {
    code.i32(from).set(list).i32(to).set(listEnd);
    code.until(list, listEnd, () => {
      code.get(list).load("i32.load").set(column);
      body();
      code.advance(list, step);
    });
  };
  rows.forEach((pointer, index) => {
    // The smaller of both.
    code.get(row).i32(index).get(stride).op("i32.mul", "i32.add").tee(pointer);
    code.get(lastRow).get(pointer, lastRow).op("i32.lt_u", "select").set(pointer);
  });
  code.get(planes).set(plane);
  each(lists.columns, lists.columnsEnd, 4, () => {
    for (const half of [0, 1]) {
      loadRows(half * LANES);
      code.get(plane, numbers).store("v128.store", half * HALF);
    }
    code.advance(plane, PLANE_BYTES);
  });
  each(lists.highColumns, lists.highColumnsEnd, 4, () => {
    for (const half of [0, 1]) {
      loadRows(half * LANES);
      code.get(plane, numbers).v128(wordsOf(INFINITY_BITS)).get(numbers, numbers);
      code.op("f32x4.eq", "v128.bitselect").store("v128.store", half * HALF);
    }
    code.advance(plane, PLANE_BYTES);
  });
  // All flags are down before any is raised.
  const flagged = shape.planeCount - shape.valueCount - shape.highCount;
  if (flagged > 0) {
    code
      .get(plane)
      .i32(flagged * PLANE_BYTES)
      .op("i32.add")
      .set(listEnd);
    code.until(plane, listEnd, () => {
      for (const at of [0, HALF]) code.get(plane).v128(wordsOf(0)).store("v128.store", at);
      code.advance(plane, PLANE_BYTES);
    });
  }
  const raise = (compare: () => void) => {
    code.get(list).load("i32.load", 4).get(planes).op("i32.add").set(plane);
    for (const half of [0, 1]) {
      loadRows(half * LANES);
      compare();
      code.v128(wordsOf(ONE_BITS)).op("v128.and").set(compared);
      code
        .get(plane, plane)
        .load("v128.load", half * HALF)
        .get(compared)
        .op("v128.or");
      code.store("v128.store", half * HALF);
    }
  };
  each(lists.equalFlags, lists.equalFlagsEnd, FLAG_BYTES, () =>
    raise(() => code.get(numbers, list).load("v128.load32_splat", 8).op("f32x4.eq")),
  );
  each(lists.nanFlags, lists.nanFlagsEnd, FLAG_BYTES, () =>
    raise(() => code.get(numbers, numbers).op("f32x4.ne")),
  );
  return { name: "spreadRows", parameterCount: 4, code };
}

/**
 * `countCuts(list, listEnd, planes, bytes)`: for each byte plane of the list, how many of its cuts are below the numbers of a
 * block's rows, less 128, as comparisons of bytes are signed; a comparison a cut.
 */
export function countCuts(): ModuleFunction {
  const [list, listEnd, planes, bytes] = [0, 1, 2, 3];
  const code = new FunctionCode(4);
  const plane = code.local(I32);
  const cut = code.local(I32);
  const cutsEnd = code.local(I32);
  const limit = code.local(V128);
  const halves = [0, 1].map(() => ({ numbers: code.local(V128), counts: code.local(V128) }));
  code.until(list, listEnd, () => {
    code.get(list).load("i32.load").get(planes).op("i32.add").set(plane);
    code.get(list).load("i32.load", 4).set(cut);
    code.get(list).load("i32.load", 8).set(cutsEnd);
    halves.forEach(({ numbers, counts }, half) => {
      code
        .get(plane)
        .load("v128.load", half * HALF)
        .set(numbers);
      code.v128(wordsOf(0)).set(counts);
    });
    code.until(cut, cutsEnd, () => {
      code.get(cut).load("v128.load32_splat").set(limit);
      for (const { numbers, counts } of halves)
        code.get(counts, numbers, limit).op("f32x4.gt", "i32x4.sub").set(counts);
      code.advance(cut, 4);
    });
    const [first, second] = halves;
    code.get(bytes, first!.counts, second!.counts).op("i16x8.narrow_i32x4_u").tee(limit).get(limit);
    code.op("i8x16.narrow_i16x8_u").v128(SIGN).op("v128.xor").lane("v128.store64_lane", 0);
    code.advance(list, BYTE_PLANE_BYTES).advance(bytes, BLOCK_ROWS * 2);
  });
  return { name: "countCuts", parameterCount: 4, code };
}

/**
 * `searchCuts(list, listEnd, planes, bytes)`: the same by halving, for planes of many cuts: their records have the bytes of the
 * first half in their last word, and their cuts are filled up with infinities to one less than a power of two.
 */
export function searchCuts(): ModuleFunction {
  const [list, listEnd, planes, bytes] = [0, 1, 2, 3];
  const code = new FunctionCode(4);
  const plane = code.local(I32);
  const cuts = code.local(I32);
  const half = code.local(I32);
  const rows = Array.from({ length: BLOCK_ROWS }, () => ({
    number: code.local(F32),
    below: code.local(I32),
  }));
  code.until(list, listEnd, () => {
    code.get(list).load("i32.load").get(planes).op("i32.add").set(plane);
    code.get(list).load("i32.load", 8).set(half);
    code.get(list).load("i32.load", 4).i32(4).op("i32.sub").set(cuts);
    rows.forEach(({ number, below }, row) => {
      code
        .get(plane)
        .load("f32.load", row * 4)
        .set(number);
      code.i32(0).set(below);
    });
    code.doWhile(
      () => {
        code.get(cuts, half).op("i32.add").set(plane);
        for (const { number, below } of rows) {
          code.get(below, half).i32(0);
          code.get(number, below, plane).op("i32.add").load("f32.load").op("f32.gt", "select");
          code.op("i32.add").set(below);
        }
        code.get(half).i32(1).op("i32.shr_u").set(half);
      },
      () => code.get(half).i32(2).op("i32.and", "i32.eqz"),
    );
    rows.forEach(({ below }, row) => {
      code.get(bytes, below).i32(2).op("i32.shr_u").i32(0x80).op("i32.sub").store("i32.store8", row);
    });
    code.advance(list, BYTE_PLANE_BYTES).advance(bytes, BLOCK_ROWS * 2);
  });
  return { name: "searchCuts", parameterCount: 4, code };
}

function wordsOf(bits: number): number[] {
  const bytes = [bits & 0xff, (bits >>> 8) & 0xff, (bits >>> 16) & 0xff, bits >>> 24];
  return [...bytes, ...bytes, ...bytes, ...bytes];
}
