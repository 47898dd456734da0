/**
 * Decimals to doubles without their text: what `Number` makes of the same digits, to the last bit, or NaN where that cannot be told here.
 * Fifteen digits and a power of ten up to 22 are exact, so that one step rounds once (Clinger, "How to Read Floating Point Numbers
 * Accurately", 1990). More are held as a sum of two doubles, with what each step leaves over (Dekker, "A Floating-Point Technique for
 * Extending the Available Precision", 1971), and rounded where all that they may be off by changes nothing.
 */

/** Digits of each half of a decimal: as many as 30 bits hold. */
export const HALF_DIGITS = 9;
/** Digits of both halves. */
export const MOST_DIGITS = 2 * HALF_DIGITS;

/** A double holds so many digits of any number exactly. */
const EXACT_DIGITS = 15;
/** The largest power of ten that a double holds. */
const EXACT_POWER = 22;
const POWERS = Float64Array.from({ length: EXACT_POWER + 1 }, (_, power) => Number(`1e${power}`));
/** The doubles next to 10^-22 to 10^22. */
const SCALES = Float64Array.from({ length: 2 * EXACT_POWER + 1 }, (_, i) => Number(`1e${i - EXACT_POWER}`));
/** What cuts a double into halves of 26 bits. */
const SPLITTER = 2 ** 27 + 1;
/** The upper 26 bits of each power, and the rest. */
const UPPER = POWERS.map(upperHalf);
const LOWER = POWERS.map((power) => power - upperHalf(power));
/** Far above what three roundings to doubles and digits beyond MOST_DIGITS are off by, and far below a float's last bit. */
const SINGLE_DOUBT = 2 ** -50;
/** Far above what a sum of two doubles is off by after one step. */
const DOUBLE_DOUBT = 2 ** -100;

/**
 * The double of (`high` · 10^`lowDigits` + `low`) · 10^`power`; NaN where it is not certain. Both halves have HALF_DIGITS digits at most,
 * and the first one all of them where the second has any.
 */
export function nearestDouble(high: number, low: number, lowDigits: number, power: number): number {
  if (power < -EXACT_POWER || power > EXACT_POWER) return Number.NaN;
  // Of 30 and of 21 bits: exact.
  const upper = high * POWERS[lowDigits]!;
  const whole = upper + low;
  const far = power < 0 ? -power : power;
  const ten = POWERS[far]!;
  if (lowDigits <= EXACT_DIGITS - HALF_DIGITS) return power < 0 ? whole / ten : whole * ten;
  // What is lost of the digits, and of the step.
  const left = low - (whole - upper);
  let near: number;
  let rest: number;
  if (power < 0) {
    near = whole / ten;
    const product = near * ten;
    rest = (whole - product - lostOf(near, far, product) + left) / ten;
  } else {
    near = whole * ten;
    rest = lostOf(whole, far, near) + left * ten;
  }
  const doubt = near * DOUBLE_DOUBT;
  const value = near + (rest - doubt);
  return value === near + (rest + doubt) ? value : Number.NaN;
}

/**
 * The float that the double is rounded to; NaN where it is not certain. `isCut`: more digits follow, which are left out; then it is not
 * certain where the number lies next to the middle between two floats.
 */
export function nearestSingle(
  high: number,
  low: number,
  lowDigits: number,
  power: number,
  isCut: boolean,
): number {
  if (power < -EXACT_POWER || power > EXACT_POWER) return Number.NaN;
  const near = (high * POWERS[lowDigits]! + low) * SCALES[power + EXACT_POWER]!;
  const doubt = near * SINGLE_DOUBT;
  const value = Math.fround(near + doubt);
  if (value === Math.fround(near - doubt)) return value;
  return isCut ? Number.NaN : Math.fround(nearestDouble(high, low, lowDigits, power));
}

/** What the rounding of `value` · 10^`power` to `product` left over, exactly. */
function lostOf(value: number, power: number, product: number): number {
  const upper = upperHalf(value);
  const lower = value - upper;
  return (
    upper * UPPER[power]! - product + upper * LOWER[power]! + lower * UPPER[power]! + lower * LOWER[power]!
  );
}

function upperHalf(value: number): number {
  const far = value * SPLITTER;
  return far - (far - value);
}
