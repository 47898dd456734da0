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
/** A number that may have so many digits is looked at by whoever bounds it. */
const MANY_DIGITS = 1000;
const VALUE_BYTES = 12;
const FRACTION_BYTES = 16;
/** Spaces in front of the first number. */
const NEAR_CHARACTERS = 64;
const OPEN_LIST = "[";
const CLOSE_LIST = "]";
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

/**
 * Reads the list that begins at `start` where it is short and holds numbers only, each of which JSON.parse reads exactly: it takes a
 * tenth of what reading them one by one does. Undefined for any other list, and for what is none: whoever reads on says what is wrong
 * with it.
 */
export function numberList(text: string, start: number): NumberList | undefined {
  let first = start + 1;
  while (first - start < NEAR_CHARACTERS && isSpace(text.charCodeAt(first))) first++;
  const code = text.charCodeAt(first);
  if (!((code >= ZERO && code <= NINE) || code === MINUS)) return undefined;
  const near = text.slice(start, start + MOST_CHARACTERS);
  const close = near.indexOf(CLOSE_LIST);
  if (close < 0) return undefined;
  const list = near.slice(0, close + 1);
  // Without texts and lists in it, what JSON.parse throws for is no JSON at all: nobody makes it throw more than once.
  if (list.includes('"') || list.lastIndexOf(OPEN_LIST) > 0 || hasLongElement(list)) return undefined;
  let values: number[];
  try {
    values = JSON.parse(list) as number[];
  } catch {
    return undefined;
  }
  let heapBytes = values.length * VALUE_BYTES;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    // What is rounded is read with every digit.
    if (typeof value !== "number" || !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return undefined;
    if (!Number.isInteger(value)) heapBytes += FRACTION_BYTES;
  }
  return { values, end: start + close + 1, heapBytes };
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

/** Whether more characters stand between two commas than a number of few digits has: to search for them is faster than a pattern. */
function hasLongElement(list: string): boolean {
  if (list.length < MANY_DIGITS) return false;
  let from = 0;
  for (let comma = list.indexOf(","); comma >= 0; comma = list.indexOf(",", from)) {
    if (comma - from >= MANY_DIGITS) return true;
    from = comma + 1;
  }
  return list.length - from >= MANY_DIGITS;
}
