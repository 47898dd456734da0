import { messageTooLarge } from "./message-limit.ts";
import type { MessageLease, MessageMemory } from "./message-memory.ts";

/** Octets before each message: a flag and a 32-bit length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const PREFIX_BYTES = 5;

/** The one flag that gRPC defines; the others are ignored, as Connect's handlers do. */
export const COMPRESSED_FLAG = 1;

/** Cuts a body into messages, however its bytes come. */
export interface GrpcDeframer {
  /**
   * Takes the next bytes of the body, a view that need not stay. Throws MESSAGE_TOO_LARGE when the prefix of such a message
   * has come, and must not be called again then.
   */
  take(bytes: Uint8Array): void;
  /** Octets of a message that has begun and is not whole, its prefix included. */
  readonly pendingBytes: number;
}

/** `onMessage` releases the lease: each message's bytes are copied once, out of the views that they came in. */
export function createGrpcDeframer(
  maxMessageBytes: number,
  memory: MessageMemory,
  onMessage: (flags: number, message: MessageLease) => void,
): GrpcDeframer {
  let flags = 0;
  let length = 0;
  let prefixBytes = 0;
  /** The message that is being put together, where its prefix is whole. */
  let message: MessageLease | undefined;
  let filled = 0;

  function whole(lease: MessageLease): void {
    prefixBytes = length = filled = 0;
    message = undefined;
    onMessage(flags, lease);
  }

  /** Reads the prefix from `offset`; returns where it ends, or where the bytes do. */
  function readPrefix(bytes: Uint8Array, offset: number): number {
    let at = offset;
    for (; prefixBytes < PREFIX_BYTES && at < bytes.length; prefixBytes++, at++) {
      if (prefixBytes === 0) flags = bytes[at]!;
      else length = length * 256 + bytes[at]!;
    }
    if (prefixBytes === PREFIX_BYTES && length > maxMessageBytes) {
      throw messageTooLarge(maxMessageBytes, length);
    }
    return at;
  }

  return {
    get pendingBytes() {
      return prefixBytes + filled;
    },
    take(bytes) {
      let offset = 0;
      while (offset < bytes.length) {
        if (message === undefined) {
          offset = readPrefix(bytes, offset);
          if (prefixBytes < PREFIX_BYTES) return;
          message = memory.lease(length);
        }
        const taken = Math.min(length - filled, bytes.length - offset);
        message.bytes.set(bytes.subarray(offset, offset + taken), filled);
        filled += taken;
        offset += taken;
        if (filled === length) whole(message);
      }
    },
  };
}

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
