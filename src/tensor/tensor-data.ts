import type { Datatype, NumericArray } from "./datatype.ts";

/**
 * A tensor in memory: `shape` has the length of each axis, `data` the elements row-major. BYTES tensors hold strings,
 * all others the array that `numericView` makes for their datatype.
 */
export interface TensorData {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: NumericArray | readonly string[];
}

/** The number of elements of a shape: 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const length of shape) count *= length;
  return count;
}
