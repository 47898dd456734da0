import type { KnownTexts } from "../../../wire/known-texts.ts";

/** Octets that open and close what a value is made of, and part it. */
export const OPEN_LIST = 91;
export const CLOSE_LIST = 93;
export const OPEN_OBJECT = 123;
export const CLOSE_OBJECT = 125;
export const COMMA = 44;
const COLON = 58;
const QUOTE = 34;
const BACKSLASH = 92;
const MINUS = 45;
const PLUS = 43;
const ZERO = 48;
const NINE = 57;
const SPACE = 32;
/** More are no length of an axis. */
const WHOLE_DIGITS = 9;
const EXPONENT_DIGITS = 4;

/** Texts without escapes, each with the quote that ends it. */
export type QuotedTexts = readonly Uint8Array[];

/** The octets of texts that are looked for. */
export function quotedTexts(texts: readonly string[]): QuotedTexts {
  return texts.map((text) => Uint8Array.from(Buffer.from(`${text}"`)));
}

const NO_OCTETS: Uint8Array = new Uint8Array(0);

/**
 * A place in the octets of JSON, which moves over them token by token, without a string of them all. It knows the plain form only: short
 * texts without escapes, numbers. Where something else comes `isPlain` turns false and the place moves to the end: whoever reads asks
 * for it when it is done, and leaves the octets to the general reader, which says what is wrong if anything is.
 */
export class JsonCursor {
  bytes = NO_OCTETS;
  at = 0;
  isPlain = true;
  /** Numbers that were not certain without their text. */
  doubts = 0;
  private end = 0;

  /** Starts at the first octet of an object. */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.at = 0;
    this.doubts = 0;
    this.end = bytes.length;
    // What looks for the end of digits finds it before that of the octets.
    const last = bytes.length === 0 ? 0 : bytes[bytes.length - 1]!;
    this.isPlain = last === CLOSE_OBJECT || isSpace(last);
    if (!this.isPlain) this.end = 0;
  }

  /** How many octets are to come. */
  get left(): number {
    return this.end - this.at;
  }

  /** Lets go of the octets. */
  release(): void {
    this.bytes = NO_OCTETS;
  }

  /** Gives up; what it returns stands for a number. */
  fail(): number {
    this.isPlain = false;
    this.at = this.end;
    return Number.NaN;
  }

  /** The next octet that is no white space; 0 at the end. */
  next(): number {
    const { bytes, end } = this;
    let { at } = this;
    while (at < end) {
      const code = bytes[at]!;
      if (code > SPACE || !isSpace(code)) {
        this.at = at;
        return code;
      }
      at++;
    }
    this.at = at;
    return 0;
  }

  /** Moves behind the octet where it is the next one. */
  has(code: number): boolean {
    if (this.next() !== code) return false;
    this.at++;
    return true;
  }

  /** Moves behind the octet, which is to be the next one. */
  expect(code: number): void {
    if (this.next() === code) this.at++;
    else this.fail();
  }

  /** Moves behind a comma, or behind `close`; true where a comma came. */
  goesOn(close: number): boolean {
    const code = this.next();
    this.at++;
    if (code === COMMA) return true;
    if (code !== close) this.fail();
    return false;
  }

  /** The text in quotes that comes next. */
  text(texts: KnownTexts, mostOctets: number): string {
    if (this.next() !== QUOTE) return this.noText();
    const { bytes } = this;
    const from = this.at + 1;
    const end = Math.min(this.end, from + mostOctets + 1);
    let at = from;
    for (; at < end; at++) {
      const code = bytes[at]!;
      if (code === QUOTE) {
        this.at = at + 1;
        return texts.text(bytes, from, at) ?? this.noText();
      }
      if (code === BACKSLASH || code < SPACE) break;
    }
    return this.noText();
  }

  /** Moves behind the text that comes next; which of `texts` it is. */
  oneOf(texts: QuotedTexts): number {
    if (this.next() === QUOTE) {
      const { bytes } = this;
      const from = this.at + 1;
      for (let i = 0; i < texts.length; i++) {
        const text = texts[i]!;
        let same = 0;
        while (same < text.length && bytes[from + same] === text[same]) same++;
        if (same < text.length) continue;
        this.at = from + same;
        return i;
      }
    }
    this.fail();
    return -1;
  }

  /** The same for the name of a member, with the colon behind it. */
  member(names: QuotedTexts): number {
    const index = this.oneOf(names);
    this.expect(COLON);
    return index;
  }

  /** True or false. */
  flag(): boolean {
    const isTrue = this.next() === TRUE[0];
    const word = isTrue ? TRUE : FALSE;
    for (let i = 0; i < word.length; i++) if (this.bytes[this.at++] !== word[i]) this.fail();
    return isTrue;
  }

  /** A whole number from 0 on, of few digits. */
  whole(): number {
    const first = this.next();
    const { bytes } = this;
    const from = this.at;
    let at = from;
    let whole = 0;
    for (let code = first; code >= ZERO && code <= NINE; code = bytes[at]!) {
      whole = whole * 10 + (code - ZERO);
      if (++at - from > WHOLE_DIGITS) return this.fail();
    }
    if (at === from || (first === ZERO && at > from + 1)) return this.fail();
    this.at = at;
    return whole;
  }

  /** The exponent whose letter is here. */
  exponent(): number {
    const { bytes } = this;
    let at = this.at + 1;
    let code = bytes[at]!;
    const isNegative = code === MINUS;
    if (isNegative || code === PLUS) code = bytes[++at]!;
    const from = at;
    let power = 0;
    for (; code >= ZERO && code <= NINE; code = bytes[++at]!) {
      if (at - from === EXPONENT_DIGITS) return this.fail();
      power = power * 10 + (code - ZERO);
    }
    if (at === from) return this.fail();
    this.at = at;
    return isNegative ? -power : power;
  }

  private noText(): string {
    this.fail();
    return "";
  }
}

const TRUE = Buffer.from("true");
const FALSE = Buffer.from("false");

function isSpace(code: number): boolean {
  return code === SPACE || code === 10 || code === 13 || code === 9;
}
