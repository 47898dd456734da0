import { type Datatype, type NumericArray, numbersOf, rowOf } from "./datatype.ts";

/** Integer labels whose text is made once. */
const KNOWN_LABELS: readonly string[] = Array.from({ length: 1024 }, (_, label) => String(label));

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

/** Labels as text: whole numbers without a point whatever their type is, flags as true and false. */
export function labelTexts({ datatype, data }: TensorData): string[] {
  if (datatype === "BOOL")
    return Array.from(data as ArrayLike<number>, (flag) => (flag !== 0 ? "true" : "false"));
  if (rowOf(datatype).bits !== undefined)
    return Array.from(numbersOf(datatype, data as NumericArray), String);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return wideTexts(data);
  return texts(data as ArrayLike<string | number>);
}

/** Reads the halves of each number, since a BigInt is an object of its own. */
function wideTexts(values: BigInt64Array | BigUint64Array): string[] {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const labels = new Array<string>(values.length);
  for (let row = 0; row < values.length; row++) {
    const low = halves[2 * row]!;
    const isKnown = halves[2 * row + 1] === 0 && low >= 0 && low < KNOWN_LABELS.length;
    labels[row] = isKnown ? KNOWN_LABELS[low]! : String(values[row]);
  }
  return labels;
}

function texts(values: ArrayLike<string | number>): string[] {
  const labels = new Array<string>(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    labels[row] = typeof value === "string" ? value : (KNOWN_LABELS[value] ?? String(value));
  }
  return labels;
}
