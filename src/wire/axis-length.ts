const KNOWN: readonly bigint[] = Array.from({ length: 1025 }, (_, length) => BigInt(length));

/** The length of an axis as messages have it: those that come often are made once. */
export function axisLength(length: number): bigint {
  return KNOWN[length] ?? BigInt(length);
}
