/** Reads some lists of a text in another form than values side by side. */
export interface ListReader {
  /**
   * A piece of the list that begins at `at` under a member: the list once it is read, `more` until then; undefined where it is to be read
   * as any.
   */
  read(at: number, member: string | undefined): ReadList | "more" | undefined;
  /** Whether a list was begun that goes on. */
  readonly isAmid: boolean;
}

/** A list that was read; its text ends before `end`. */
export interface ReadList {
  readonly list: unknown;
  readonly end: number;
  readonly heapBytes: number;
}

/** A list of nothing but numbers, read at once. */
export interface NumberList {
  readonly values: number[];
  /** Behind its bracket. */
  readonly end: number;
  /** About what they take of V8's heap. */
  readonly heapBytes: number;
}

/** Longer lists are read value by value, in slices. */
const MOST_CHARACTERS = 4096;
/** A number with so many digits is looked at by whoever bounds it. */
const MANY_DIGITS = /\d{300}/;
const NUMBERS = /^\[[-+.eE\d, \n\r\t]+\]$/;
const VALUE_BYTES = 12;
const FRACTION_BYTES = 16;
const CLOSE_LIST = "]";

/**
 * Reads the list that begins at `start` where it is short and holds numbers only, each of which JSON.parse reads exactly: it takes half
 * of what reading them one by one does. Undefined for any other list, and for what is none: whoever reads on says what is wrong with it.
 */
export function numberList(text: string, start: number): NumberList | undefined {
  const near = text.slice(start, start + MOST_CHARACTERS);
  const close = near.indexOf(CLOSE_LIST);
  if (close < 0) return undefined;
  const list = near.slice(0, close + 1);
  if (!NUMBERS.test(list) || MANY_DIGITS.test(list)) return undefined;
  let values: number[];
  try {
    values = JSON.parse(list) as number[];
  } catch {
    return undefined;
  }
  let heapBytes = values.length * VALUE_BYTES;
  for (const value of values) {
    // What is rounded is read with every digit.
    if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return undefined;
    if (!Number.isInteger(value)) heapBytes += FRACTION_BYTES;
  }
  return { values, end: start + close + 1, heapBytes };
}
