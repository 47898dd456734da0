/** A negative number takes all ten octets, as protobuf sign-extends it to 64 bits. */
const NEGATIVE_BYTES = 10;

/** How many octets a number takes as a varint. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = value; left > 0x7f; left = Math.floor(left / 128)) bytes++;
  return bytes;
}

/** Writes a number as a varint; gives the place after it. */
export function writeVarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes[at++] = (left & 0x7f) | 0x80;
  bytes[at++] = left;
  return at;
}

/** As `varintBytes`, of a number that may be negative. */
export function signedVarintBytes(value: number): number {
  return value < 0 ? NEGATIVE_BYTES : varintBytes(value);
}

/** As `writeVarint`, of a number that may be negative. */
export function writeSignedVarint(bytes: Buffer, from: number, value: number): number {
  if (value >= 0) return writeVarint(bytes, from, value);
  let at = from;
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > 0x7fn; left >>= 7n) bytes[at++] = Number(left & 0x7fn) | 0x80;
  bytes[at++] = Number(left);
  return at;
}
