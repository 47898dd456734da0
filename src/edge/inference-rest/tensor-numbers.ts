/**
 * Long lists of numbers in JSON text, flat or nested, to one array: V8's own parser reads them piece by piece, which takes a third of the
 * time of a step for each character, and nothing but the numbers is kept.
 */

import type { ListReader, ReadList } from "../json/number-list.ts";

/** Numbers, row-major, and how they were nested. */
export class TensorNumbers {
  values: Float64Array;
  /** How many of `values` there are. */
  count = 0;
  /** The length of the lists of each level, from the outermost on; of a flat list one. */
  readonly lengths: number[] = [];
  /** The first null or NaN; -1 where there is none. */
  nullAt = -1;

  constructor(room: number) {
    this.values = new Float64Array(room);
  }

  /** Adds what is a number or null; false for everything else, and for whole numbers whose digits a double does not hold. */
  add(value: unknown): boolean {
    if (this.count === this.values.length) this.grow();
    if (typeof value === "number") {
      if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) return false;
      this.values[this.count++] = value;
      return true;
    }
    if (value !== null) return false;
    if (this.nullAt < 0) this.nullAt = this.count;
    this.values[this.count++] = Number.NaN;
    return true;
  }

  private grow(): void {
    const larger = new Float64Array(2 * this.values.length);
    larger.set(this.values);
    this.values = larger;
  }
}

/** A shorter list is read with the text around it, unless it has what is no JSON. */
const LEAST_CHARACTERS = 128;
/** Characters that are read at once. */
const PIECE_CHARACTERS = 32_768;
const MOST_LEVELS = 16;
/** A number and its comma take more; so much room is made at first, and no more than a piece needs. */
const CHARACTERS_A_NUMBER = 4;
const SPACES = /[ \n\r\t]*/y;

/** Finds and reads the lists of a text. */
export class TensorNumbersReader implements ListReader {
  private readonly text: string;
  private readonly member: string;
  private begun: TensorNumbersText | undefined = undefined;
  /** Where a list stands that is to be read as any. */
  private otherAt = -1;

  /** Only lists under `member` are looked at. */
  constructor(text: string, member: string) {
    this.text = text;
    this.member = member;
  }

  /** Whether a list was begun that goes on. */
  get isAmid(): boolean {
    return this.begun !== undefined;
  }

  /** A piece of the list that begins at `at` under `member`: the list once it is read; undefined where it is to be read as any. */
  read(at: number, member: string | undefined): ReadList | "more" | undefined {
    if (member !== this.member || at === this.otherAt) return undefined;
    const list = this.begun ?? TensorNumbersText.from(this.text, at);
    const read = list?.step() ?? "other";
    this.begun = read === "more" ? list : undefined;
    if (read === "other") this.otherAt = at;
    return read === "more" ? read : read === "done" ? list : undefined;
  }
}

/** Reads one list; `step` until it does not say `more`. */
class TensorNumbersText implements ReadList {
  readonly list: TensorNumbers;
  /** Behind the list, once it is read. */
  end: number;
  private readonly text: string;
  private readonly levels: number;
  private at: number;

  /** The list that begins at `start`; undefined where it is short, or begins with something else than a number. */
  static from(text: string, start: number): TensorNumbersText | undefined {
    let levels = 0;
    let at = start;
    while (text.charCodeAt(at) === OPEN_LIST && levels < MOST_LEVELS) {
      levels++;
      at = pastSpaces(text, at + 1);
    }
    const first = text.charCodeAt(at);
    const isNumber = (first >= ZERO && first <= NINE) || first === MINUS;
    if (!isNumber && !text.startsWith("null", at) && !text.startsWith(NAN, at)) return undefined;
    const close = text.indexOf("]".repeat(levels), at);
    const end = close + levels;
    if (close < 0) return undefined;
    if (end - start < LEAST_CHARACTERS && !text.slice(start, end).includes(NAN)) return undefined;
    return new TensorNumbersText(text, start, end, levels);
  }

  private constructor(text: string, start: number, end: number, levels: number) {
    this.text = text;
    this.at = start + 1;
    this.end = end;
    this.levels = levels;
    this.list = new TensorNumbers(Math.min(end - start, PIECE_CHARACTERS) / CHARACTERS_A_NUMBER);
    for (let level = 0; level < levels; level++) this.list.lengths.push(level === 0 ? 0 : -1);
  }

  get heapBytes(): number {
    return this.list.values.byteLength;
  }

  /** `other`: it is no list of numbers that are nested evenly, or one that is spaced so that it cannot be cut. */
  step(): "more" | "done" | "other" {
    const { text, levels } = this;
    const last = this.end - 1;
    let cut = last;
    if (last - this.at > PIECE_CHARACTERS) {
      const between = `${"]".repeat(levels - 1)},`;
      const found = text.lastIndexOf(between, this.at + PIECE_CHARACTERS);
      if (found <= this.at) return "other";
      cut = found + levels - 1;
    }
    const items = parsed(`[${text.slice(this.at, cut)}]`);
    if (items === undefined) return "other";
    this.list.lengths[0]! += items.length;
    if (!this.take(items, 1)) return "other";
    this.at = cut + 1;
    return cut === last ? "done" : "more";
  }

  private take(items: readonly unknown[], level: number): boolean {
    const { list, levels } = this;
    if (level === levels) {
      for (let i = 0; i < items.length; i++) if (!list.add(items[i])) return false;
      return true;
    }
    const { lengths } = list;
    for (const item of items) {
      if (!Array.isArray(item)) return false;
      if (lengths[level] === -1) lengths[level] = item.length;
      if (lengths[level] !== item.length || !this.take(item, level + 1)) return false;
    }
    return true;
  }
}

/** Undefined where it is no JSON, but for NaN: Triton's clients write it where a number is missing. */
function parsed(text: string): unknown[] | undefined {
  try {
    return JSON.parse(text) as unknown[];
  } catch {
    const without = text.replaceAll(NANS, "null");
    return without === text ? undefined : parsed(without);
  }
}

const NAN = "NaN";
/** Not within a longer word, nor behind a sign. */
const NANS = /(?<![\w"+-])NaN(?![\w"])/g;
const OPEN_LIST = 91;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

function pastSpaces(text: string, at: number): number {
  SPACES.lastIndex = at;
  SPACES.test(text);
  return SPACES.lastIndex;
}
