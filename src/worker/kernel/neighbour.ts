const float = new Float32Array(1);
const floatBits = new Int32Array(float.buffer);
const double = new Float64Array(1);
const doubleBits = new BigInt64Array(double.buffer);

/** The next smaller number of single precision; minus infinity stays. */
export function floatBelow(value: number): number {
  if (value === Number.NEGATIVE_INFINITY) return value;
  // Both zeros are one number.
  float[0] = value === 0 ? -0 : value;
  floatBits[0] = floatBits[0]! + (float[0] > 0 ? -1 : 1);
  return float[0];
}

/** The next smaller number of double precision; minus infinity stays. */
export function doubleBelow(value: number): number {
  if (value === Number.NEGATIVE_INFINITY) return value;
  double[0] = value === 0 ? -0 : value;
  doubleBits[0] = doubleBits[0]! + (double[0] > 0 ? -1n : 1n);
  return double[0];
}

/** The next larger number of the precision. */
export function numberAbove(value: number, isDouble: boolean): number {
  return isDouble ? -doubleBelow(-value) : -floatBelow(-value);
}
