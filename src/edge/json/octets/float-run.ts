import { COMMA, type JsonCursor } from "./json-cursor.ts";
import { HALF_DIGITS, MOST_DIGITS, nearestDouble, nearestSingle } from "./nearest-double.ts";

const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const LOWER_E = 101;
/** What makes a letter a small one. */
const SMALL = 32;
/** Longer ones are left to whoever bounds them. */
const LONGEST_NUMBER = 64;
/** Numbers of one message that are read from their text, as they are not certain otherwise. */
const MOST_DOUBTS = 16;

/**
 * Reads numbers with commas between them, up to what is no comma, and writes each, as `Number` reads its text, to `target` from `from`
 * on, never from `end` on; returns where the last one ends there. One function, as calls for each number would cost as much again.
 */
export function readFloatRun(
  cursor: JsonCursor,
  target: DataView<ArrayBufferLike>,
  from: number,
  end: number,
  isSingle: boolean,
): number {
  const { bytes } = cursor;
  let to = from;
  for (;;) {
    let code = cursor.next();
    const start = cursor.at;
    let at = start;
    const isNegative = code === MINUS;
    if (isNegative) code = bytes[++at]!;
    let high = 0;
    let low = 0;
    let digits = 0;
    let power = 0;
    let digit = code - ZERO;
    if (digit === 0) digit = bytes[++at]! - ZERO;
    else {
      for (; digit >>> 0 < 10; digit = bytes[++at]! - ZERO) {
        if (digits < HALF_DIGITS) high = Math.imul(high, 10) + digit;
        else if (digits < MOST_DIGITS) low = Math.imul(low, 10) + digit;
        digits++;
      }
      if (digits === 0) cursor.fail();
    }
    if (digit === DOT - ZERO) {
      const point = at;
      digit = bytes[++at]! - ZERO;
      // Zeros in front of all other digits only move the point.
      if (digits === 0) while (digit === 0) digit = bytes[++at]! - ZERO;
      let stop = at + HALF_DIGITS - digits;
      digits -= at;
      for (; digit >>> 0 < 10 && at < stop; digit = bytes[++at]! - ZERO) high = Math.imul(high, 10) + digit;
      stop = MOST_DIGITS - digits;
      for (; digit >>> 0 < 10 && at < stop; digit = bytes[++at]! - ZERO) low = Math.imul(low, 10) + digit;
      while (digit >>> 0 < 10) digit = bytes[++at]! - ZERO;
      digits += at;
      power = point + 1 - at;
      if (power === 0) cursor.fail();
    }
    if (((digit + ZERO) | SMALL) === LOWER_E) {
      cursor.at = at;
      power += cursor.exponent();
      at = cursor.at;
    }
    if (at - start > LONGEST_NUMBER || to === end) cursor.fail();
    if (!cursor.isPlain) return to;
    cursor.at = at;
    const isCut = digits > MOST_DIGITS;
    const lowDigits = isCut ? HALF_DIGITS : digits > HALF_DIGITS ? digits - HALF_DIGITS : 0;
    let value = Number.NaN;
    if (isSingle) {
      value = nearestSingle(high, low, lowDigits, isCut ? power + digits - MOST_DIGITS : power, isCut);
    } else if (!isCut) value = nearestDouble(high, low, lowDigits, power);
    if (Number.isNaN(value)) {
      // V8's parser, which others use, takes less for many of them.
      if (++cursor.doubts > MOST_DOUBTS) cursor.fail();
      value = Number(String.fromCharCode(...bytes.subarray(start, at)));
    } else if (isNegative) value = -value;
    if (isSingle) {
      value = Math.fround(value);
      target.setFloat32(to, value, true);
      to += 4;
    } else {
      target.setFloat64(to, value, true);
      to += 8;
    }
    // What is too large for the element type is told by others.
    if (!Number.isFinite(value)) cursor.fail();
    if (!cursor.has(COMMA)) return to;
  }
}
