/** The number that 16 bits of IEEE 754 binary16 mean. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const f64 = new Float64Array(1);
const u64 = new BigUint64Array(f64.buffer);

/** The binary16 bits nearest to a number, ties to even; numbers beyond 65504 become infinity. */
export function numberToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 2 ** -25) return sign;
  f64[0] = magnitude;
  const exponent = Math.max(Number((u64[0]! >> 52n) & 0x7ffn) - 1023, -14);
  const scaled = magnitude / 2 ** (exponent - 10);
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  const subnormal = exponent === -14 && rounded < 1024;
  if (subnormal) return sign | rounded;
  return rounded === 2048
    ? sign | ((exponent + 16) << 10)
    : sign | ((exponent + 15) << 10) | (rounded - 1024);
}

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** The number that 16 bits of bfloat16 mean: the upper half of a float32. */
export function bfloatToNumber(bits: number): number {
  u32[0] = bits << 16;
  return f32[0]!;
}

/** The bfloat16 bits nearest to a number, ties to even; numbers beyond 3.39e38 become infinity. */
export function numberToBfloat(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  f32[0] = value;
  const bits = u32[0]!;
  // Rounding to float32 first rounds twice: where that lands on a tie, the number itself says which side it is on.
  const lower = bits & 0xffff;
  const away = Math.abs(value) - Math.abs(f32[0]!);
  const upper = bits >>> 16;
  if (lower !== 0x8000) return upper + (lower > 0x8000 ? 1 : 0);
  if (away !== 0) return upper + (away > 0 ? 1 : 0);
  return upper + (upper & 1);
}
