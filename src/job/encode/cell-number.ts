/** Signs that separate a number's fraction. */
export const POINT = 0x2e;
export const COMMA = 0x2c;

const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/**
 * The number that ASCII bytes `from` to `to` spell, or NaN where they spell none: an optional sign, digits with at most one
 * `separator` among, before or after them, an optional exponent; nothing else. `1e999` is Infinity.
 */
export function parseNumber(bytes: Uint8Array, from: number, to: number, separator: number): number {
  let at = from;
  let sign = 1;
  if (bytes[at] === 0x2d || bytes[at] === 0x2b) {
    if (bytes[at] === 0x2d) sign = -1;
    at++;
  }
  let mantissa = 0;
  let digits = 0;
  let fractionDigits = 0;
  let inFraction = false;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x30 && byte <= 0x39) {
      mantissa = mantissa * 10 + (byte - 0x30);
      digits++;
      if (inFraction) fractionDigits++;
    } else if (byte === separator && !inFraction) inFraction = true;
    else break;
  }
  if (digits === 0) return Number.NaN;
  let exponent = 0;
  if (at < to) {
    exponent = parseExponent(bytes, at, to);
    if (Number.isNaN(exponent)) return Number.NaN;
  }
  exponent -= fractionDigits;
  // Both operands are exact, so that one operation rounds once (Clinger 1990).
  if (mantissa <= Number.MAX_SAFE_INTEGER && exponent >= -22 && exponent <= 22) {
    const power = POWERS_OF_TEN[Math.abs(exponent)]!;
    return sign * (exponent < 0 ? mantissa / power : mantissa * power);
  }
  let text = "";
  for (let i = from; i < to; i++) text += bytes[i] === separator ? "." : String.fromCharCode(bytes[i]!);
  return Number(text);
}

/** The exponent from its `e` on, or NaN. */
function parseExponent(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] !== 0x65 && bytes[from] !== 0x45) return Number.NaN;
  let at = from + 1;
  const negative = bytes[at] === 0x2d;
  if (negative || bytes[at] === 0x2b) at++;
  if (at >= to) return Number.NaN;
  let exponent = 0;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte < 0x30 || byte > 0x39) return Number.NaN;
    exponent = Math.min(exponent * 10 + (byte - 0x30), 1e6);
  }
  return negative ? -exponent : exponent;
}
