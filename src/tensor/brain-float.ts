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
