import type { Datatype } from "../../tensor/datatype.ts";
import { numberToHalf } from "../../tensor/half-float.ts";
import type { NumberColumn } from "./number-column.ts";
import type { RowFaults } from "./row-faults.ts";

/** The positions of one column in a row-major array: `at`, `at + step`, …. */
export interface Stride {
  readonly at: number;
  readonly step: number;
  readonly rowCount: number;
}

/** The largest magnitude that stays finite in each float datatype. */
const FLOAT_LIMIT = { FP16: 65504, FP32: 3.4028235677973366e38, FP64: Number.MAX_VALUE } as const;

const INTEGER_LIMITS: Readonly<Partial<Record<Datatype, readonly [bigint, bigint]>>> = {
  INT8: [-(2n ** 7n), 2n ** 7n - 1n],
  INT16: [-(2n ** 15n), 2n ** 15n - 1n],
  INT32: [-(2n ** 31n), 2n ** 31n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT8: [0n, 2n ** 8n - 1n],
  UINT16: [0n, 2n ** 16n - 1n],
  UINT32: [0n, 2n ** 32n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
};

/** Writes numbers into a float tensor; infinity and what becomes infinite in the datatype are faults. */
export function writeFloats(
  { values }: NumberColumn,
  target: Float32Array | Float64Array | Uint16Array,
  datatype: "FP16" | "FP32" | "FP64",
  stride: Stride,
  column: string,
  faults: RowFaults,
): void {
  const { at, step, rowCount } = stride;
  const limit = FLOAT_LIMIT[datatype];
  const half = target instanceof Uint16Array;
  for (let row = 0, i = at; row < rowCount; row++, i += step) {
    const value = values[row]!;
    target[i] = half ? numberToHalf(value) : value;
    if (Math.abs(value) > limit)
      faults.add(row, column, `${value} is too large; ${datatype} takes numbers up to about ${limit}`);
  }
}

/** Writes numbers into an integer tensor; missing numbers, fractions and numbers out of range are faults. */
export function writeIntegers(
  { values, exact }: NumberColumn,
  target: ArrayLike<number | bigint>,
  datatype: Datatype,
  stride: Stride,
  column: string,
  faults: RowFaults,
): void {
  const { at, step, rowCount } = stride;
  const [least, most] = INTEGER_LIMITS[datatype]!;
  const low = Number(least);
  const high = Math.min(Number(most), Number.MAX_SAFE_INTEGER);
  const wide = target instanceof BigInt64Array || target instanceof BigUint64Array;
  const numbers = target as Int32Array;
  const halves = wide ? new Int32Array(target.buffer, target.byteOffset, 2 * target.length) : numbers;
  for (let row = 0, i = at; row < rowCount; row++, i += step) {
    const value = values[row]!;
    if (Number.isInteger(value) && value >= low && value <= high && value >= Number.MIN_SAFE_INTEGER) {
      if (!wide) {
        numbers[i] = value;
        continue;
      }
      // Little-endian halves instead of a BigInt a value; each is taken modulo 2^32.
      const upper = Math.floor(value / 4294967296);
      halves[2 * i] = value - upper * 4294967296;
      halves[2 * i + 1] = upper;
      continue;
    }
    const whole = Math.abs(value) > Number.MAX_SAFE_INTEGER ? exact(row) : undefined;
    if (wide && whole !== undefined && whole >= least && whole <= most) {
      (target as BigInt64Array)[i] = whole;
      continue;
    }
    faults.add(row, column, integerFault(value, whole, datatype, least, most));
  }
}

function integerFault(
  value: number,
  whole: bigint | undefined,
  datatype: Datatype,
  least: bigint,
  most: bigint,
): string {
  if (Number.isNaN(value)) return `no value; ${datatype} takes no missing numbers`;
  if (!Number.isInteger(value)) return `${value} is not a whole number, as ${datatype} takes`;
  if (whole === undefined && value >= Number(least) && value <= Number(most))
    return `${value} is beyond 2^53, where this column's type loses digits; ${datatype} takes exact numbers`;
  return `${whole ?? value} is out of range; ${datatype} takes ${least} to ${most}`;
}
