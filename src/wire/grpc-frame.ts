/** Octets before each message: a flag and a 32-bit length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const PREFIX_BYTES = 5;

/** The one flag that gRPC defines; the others are ignored, as Connect's handlers do. */
export const COMPRESSED_FLAG = 1;

/** Writes a message's prefix to `target`. */
export function writePrefix(target: Uint8Array, flags: number, length: number): void {
  target[0] = flags;
  target[1] = length >>> 24;
  target[2] = length >>> 16;
  target[3] = length >>> 8;
  target[4] = length;
}

/** A message with its prefix. */
export function framed(flags: number, message: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  writePrefix(bytes, flags, message.length);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}
