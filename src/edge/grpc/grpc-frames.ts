import { messageTooLarge } from "../memory/message-limit.ts";
import type { MessageLease, MessageMemory } from "./message-memory.ts";

/** Octets before each message: a flag and a 32-bit length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const PREFIX_BYTES = 5;

/** The one flag that gRPC defines; the others are ignored, as Connect's handlers do. */
export const COMPRESSED_FLAG = 1;

/**
 * Cuts a body into messages, however its bytes come. `onMessage` releases the lease: each message's bytes are copied once, out of
 * the views that they came in.
 */
export class GrpcDeframer {
  private readonly maxMessageBytes: number;
  private readonly memory: MessageMemory;
  private readonly onMessage: (flags: number, message: MessageLease) => void;
  private flags = 0;
  private length = 0;
  private prefixBytes = 0;
  /** The message that is being put together, where its prefix is whole. */
  private message: MessageLease | undefined = undefined;
  private filled = 0;

  constructor(
    maxMessageBytes: number,
    memory: MessageMemory,
    onMessage: (flags: number, message: MessageLease) => void,
  ) {
    this.maxMessageBytes = maxMessageBytes;
    this.memory = memory;
    this.onMessage = onMessage;
  }

  /** Octets of a message that has begun and is not whole, its prefix included. */
  get pendingBytes(): number {
    return this.prefixBytes + this.filled;
  }

  /**
   * Takes the next bytes of the body, a view that need not stay. Throws MESSAGE_TOO_LARGE when the prefix of such a message
   * has come, and must not be called again then.
   */
  take(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) {
      if (this.message === undefined) {
        offset = this.readPrefix(bytes, offset);
        if (this.prefixBytes < PREFIX_BYTES) return;
        this.message = this.memory.lease(this.length);
      }
      const { message, filled, length } = this;
      const taken = Math.min(length - filled, bytes.length - offset);
      message.bytes.set(taken === bytes.length ? bytes : bytes.subarray(offset, offset + taken), filled);
      offset += taken;
      this.filled = filled + taken;
      if (this.filled === length) this.whole(message);
    }
  }

  private whole(lease: MessageLease): void {
    this.prefixBytes = this.length = this.filled = 0;
    this.message = undefined;
    this.onMessage(this.flags, lease);
  }

  /** Reads the prefix from `offset`; returns where it ends, or where the bytes do. */
  private readPrefix(bytes: Uint8Array, offset: number): number {
    let at = offset;
    for (; this.prefixBytes < PREFIX_BYTES && at < bytes.length; this.prefixBytes++, at++) {
      if (this.prefixBytes === 0) this.flags = bytes[at]!;
      else this.length = this.length * 256 + bytes[at]!;
    }
    if (this.prefixBytes === PREFIX_BYTES && this.length > this.maxMessageBytes) {
      throw messageTooLarge(this.maxMessageBytes, this.length);
    }
    return at;
  }
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
