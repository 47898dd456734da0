import type { NumericArray } from "../../../tensor/datatype.ts";

/** So many are sorted, and merged, at once. */
const PIECE_VALUES = 4096;

/** So many are looked at at once. */
const LOOKED_VALUES = 65_536;

/** The number that a value stands for, where it is not that number itself. */
type Read = (value: number) => number;

/**
 * The places of the `count` highest values, the highest first, of equals the first; NaN stands behind all numbers. Yields where the
 * event loop may be given back, which a few thousand values never do.
 */
export function* highestPlaces(
  values: NumericArray,
  count: number,
  read?: Read,
): Generator<void, ArrayLike<number>> {
  const numbers = read === undefined ? values : yield* converted(values as ArrayLike<number>, read);
  const { length } = numbers;
  if (count === 1) return yield* highestPlace(numbers);
  let runs: Uint32Array[] = [];
  for (let from = 0; from < length; from += PIECE_VALUES) {
    if (from > 0) yield;
    const places = new Uint32Array(Math.min(PIECE_VALUES, length - from));
    for (let i = 0; i < places.length; i++) places[i] = from + i;
    places.sort((a, b) => order(numbers, a, b));
    runs.push(places.subarray(0, count));
  }
  while (runs.length > 1) {
    const merged: Uint32Array[] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(i + 1 === runs.length ? runs[i]! : yield* merge(runs[i]!, runs[i + 1]!, count, numbers));
    }
    runs = merged;
  }
  return runs[0] ?? new Uint32Array(0);
}

type Numbers = ArrayLike<number | bigint>;

function* converted(values: ArrayLike<number>, read: Read): Generator<void, Float64Array> {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = read(values[i]!);
    if (i % LOOKED_VALUES === LOOKED_VALUES - 1) yield;
  }
  return numbers;
}

function* highestPlace(numbers: Numbers): Generator<void, ArrayLike<number>> {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) {
    if (order(numbers, i, best) < 0) best = i;
    if (i % LOOKED_VALUES === 0) yield;
  }
  return numbers.length === 0 ? [] : [best];
}

function* merge(
  left: Uint32Array,
  right: Uint32Array,
  count: number,
  numbers: Numbers,
): Generator<void, Uint32Array> {
  const merged = new Uint32Array(Math.min(count, left.length + right.length));
  let l = 0;
  let r = 0;
  for (let i = 0; i < merged.length; i++) {
    const takesLeft = r === right.length || (l < left.length && order(numbers, left[l]!, right[r]!) < 0);
    merged[i] = takesLeft ? left[l++]! : right[r++]!;
    if (i % PIECE_VALUES === PIECE_VALUES - 1) yield;
  }
  return merged;
}

/** Negative where the value at `a` stands before the one at `b`. */
function order(numbers: Numbers, a: number, b: number): number {
  const first = numbers[a]!;
  const second = numbers[b]!;
  if (first > second) return -1;
  if (first < second) return 1;
  // Equals, or one of them is no number.
  const firstIsNone = Number.isNaN(first);
  if (firstIsNone !== Number.isNaN(second)) return firstIsNone ? 1 : -1;
  return a - b;
}
