import { type Datatype, type FloatDatatype, rowOf } from "../../tensor/datatype.ts";
import type { NumberColumn } from "./number-column.ts";
import type { RowFaults } from "./row-faults.ts";

/** The positions of one column in a row-major array: `at`, `at + step`, …. */
export interface Stride {
  readonly at: number;
  readonly step: number;
  readonly rowCount: number;
}

/** Writes numbers into a float tensor; infinity and what becomes infinite in the datatype are faults. */
export function writeFloats(
  { values }: NumberColumn,
  target: Float32Array | Float64Array | Uint16Array,
  datatype: FloatDatatype,
  stride: Stride,
  column: string,
  faults: RowFaults,
): void {
  const { at, step, rowCount } = stride;
  const { bits, largest } = rowOf(datatype);
  const limit = largest!;
  for (let row = 0, i = at; row < rowCount; row++, i += step) {
    const value = values[row]!;
    target[i] = bits === undefined ? value : bits.fromNumber(value);
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
  const [least, most] = rowOf(datatype).range!;
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
