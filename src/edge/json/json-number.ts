/** No integer type holds more digits, and a power of ten as an exponent could ask for any number of them. */
const MAX_DIGITS = 40;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Where the digits that begin at `from` end. */
export function digitsEnd(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code >= 48 && code <= 57; code = text.charCodeAt(at)) at++;
  return at;
}

/** The whole number that decimal text says, with every digit; undefined where it says a fraction, or more digits than any type holds. */
export function exactInteger(text: string): bigint | undefined {
  if (text.length > 2 * MAX_DIGITS) return undefined;
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = "", exponent = "0"] = match;
  const shift = Number(exponent) - fraction.length;
  if (Math.abs(shift) > MAX_DIGITS) return undefined;
  let digits = `${whole}${fraction}`;
  if (shift >= 0) digits += "0".repeat(shift);
  else {
    if (/[1-9]/.test(digits.slice(shift))) return undefined;
    digits = digits.slice(0, shift) || "0";
  }
  if (digits.replace(/^0+/, "").length > MAX_DIGITS) return undefined;
  return BigInt(`${sign}${digits}`);
}

/** The whole number that a JSON value says, for a 64-bit field; undefined where it says none. Beyond 2^53 a number was a fraction. */
export function integerOf(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === "string" ? exactInteger(value) : undefined;
}

const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a JSON value says, for a float field; undefined where it says none. */
export function floatOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "string") return undefined;
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  return value.length <= 100 && FLOAT.test(value) ? Number(value) : undefined;
}
