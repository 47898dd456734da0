/** Protobuf octets by hand, for messages that no encoder would write. */

export function varint(value: number): Buffer {
  const octets: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 0x80);
  octets.push(rest);
  return Buffer.from(octets);
}

/** A field that is delimited by its length. */
export function delimited(number: number, octets: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(octets.length), octets]);
}

/** The same octets `count` times. */
export function repeated(octets: Buffer, count: number): Buffer {
  return Buffer.alloc(octets.length * count, octets);
}
