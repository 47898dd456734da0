/** Protobuf and its frames by hand, for messages that no encoder would write. */

export function varint(value: number): Buffer {
  const octets: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 0x80);
  octets.push(rest);
  return Buffer.from(octets);
}

/** A field that is delimited by its length. */
export function delimited(number: number, octets: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(octets.length), octets]);
}

/** The same octets `count` times. */
export function repeated(octets: Buffer, count: number): Buffer {
  return Buffer.alloc(octets.length * count, octets);
}

/** A message of gRPC with its prefix. */
export function framed(flags: number, message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
