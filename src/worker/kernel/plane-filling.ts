import { BLOCK_ROWS } from "./kernel-shape.ts";
import type { Plane } from "./split-trees.ts";

/** Numbers that rows come in. */
export type RowNumbers = Float32Array | Float64Array | Int32Array | BigInt64Array;

/**
 * Makes the planes of `count` rows of another type than float32, or that are compared in double precision; `floats` are the planes
 * of all blocks. Rows behind the last keep what they had.
 */
export function fillPlanes(
  planes: readonly Plane[],
  rows: RowNumbers,
  firstRow: number,
  count: number,
  columnCount: number,
  floats: Float32Array,
  isDouble: boolean,
): void {
  const blockFloats = planes.length * BLOCK_ROWS;
  planes.forEach((plane, place) => {
    for (let row = 0; row < count; row++) {
      const lane = row % BLOCK_ROWS;
      const at = ((row - lane) / BLOCK_ROWS) * blockFloats + place * BLOCK_ROWS + lane;
      floats[at] = planeNumber(plane, Number(rows[(firstRow + row) * columnCount + plane.feature]), isDouble);
    }
  });
}

function planeNumber({ kind, equals, nanIsFlag, cuts }: Plane, exact: number, isDouble: boolean): number {
  // ONNX Runtime compares integers with floats as floats.
  const number = isDouble ? exact : Math.fround(exact);
  if (kind === "flag") return equals.includes(number) || (nanIsFlag && Number.isNaN(number)) ? 1 : 0;
  if (Number.isNaN(number)) return kind === "high" ? Number.POSITIVE_INFINITY : 0;
  return cuts === undefined ? number : countBelow(cuts, number);
}

function countBelow(cuts: Float64Array, number: number): number {
  let from = 0;
  let to = cuts.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (cuts[middle]! < number) from = middle + 1;
    else to = middle;
  }
  return from;
}
