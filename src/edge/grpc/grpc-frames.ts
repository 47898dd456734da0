import { FramePrefix } from "../../wire/grpc-frame.ts";
import { messageTooLarge } from "../memory/message-limit.ts";
import type { MessageLease, MessageMemory } from "./message-memory.ts";

/**
 * Cuts a body into messages, however its bytes come. `onMessage` releases the lease: each message's bytes are copied once, out of
 * the views that they came in.
 */
export class GrpcDeframer {
  private readonly maxMessageBytes: number;
  private readonly memory: MessageMemory;
  private readonly onMessage: (flags: number, message: MessageLease) => void;
  private readonly prefix = new FramePrefix();
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
    return this.prefix.byteCount + this.filled;
  }

  /**
   * Takes the next bytes of the body, a view that need not stay. Throws MESSAGE_TOO_LARGE when the prefix of such a message
   * has come, and must not be called again then.
   */
  take(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) {
      if (this.message === undefined) {
        offset = this.prefix.read(bytes, offset);
        if (!this.prefix.isWhole) return;
        if (this.prefix.length > this.maxMessageBytes)
          throw messageTooLarge(this.maxMessageBytes, this.prefix.length);
        this.message = this.memory.lease(this.prefix.length);
      }
      const { message, filled } = this;
      const { length } = this.prefix;
      const taken = Math.min(length - filled, bytes.length - offset);
      message.bytes.set(taken === bytes.length ? bytes : bytes.subarray(offset, offset + taken), filled);
      offset += taken;
      this.filled = filled + taken;
      if (this.filled === length) this.whole(message);
    }
  }

  private whole(lease: MessageLease): void {
    const { flags } = this.prefix;
    this.prefix.clear();
    this.filled = 0;
    this.message = undefined;
    this.onMessage(flags, lease);
  }
}
