import type { Socket } from "node:net";
import { giveRoom, takeRoom } from "../../http2/frame/slab.ts";

/** A body at least this long goes out by reference: below, a copy costs less than another entry of writev. */
const REFERENCE_BYTES = 16_384;

/** A part of an answer in memory of its own, for when it cannot be sent yet. */
export function ownOctets(head: string, bytes: Uint8Array): Uint8Array {
  if (head === "") return bytes;
  const whole = Buffer.allocUnsafe(head.length + bytes.length);
  whole.write(head, 0, "latin1");
  whole.set(bytes, head.length);
  return whole;
}

/** Writes parts of answers to one socket; those that are written while it is `held` leave together. */
export class AnswerOutput {
  private readonly socket: Socket;
  private isHeld = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Writes a head, which may be empty, and octets behind it, which belong to the socket from now on. False where it should wait. */
  write(head: string, bytes: Uint8Array): boolean {
    const { socket } = this;
    const byteCount = head.length + bytes.length;
    if (byteCount === 0 || socket.destroyed || socket.writableEnded) return true;
    if (bytes.length >= REFERENCE_BYTES) {
      socket.cork();
      if (head !== "") socket.write(head, "latin1");
      const isReady = socket.write(bytes);
      socket.uncork();
      return isReady;
    }
    const slab = takeRoom(byteCount);
    const end = slab.offset;
    const start = end - byteCount;
    if (head !== "") slab.bytes.write(head, start, "latin1");
    if (bytes.length > 0) slab.bytes.set(bytes, start + head.length);
    const isReady = socket.write(slab.bytes.subarray(start, end));
    // The kernel took everything: the octets are free again. Otherwise they stay with the socket.
    giveRoom(slab, start, socket.writableLength > 0 ? end : start, end);
    return isReady;
  }

  /** What is written in the rest of this turn leaves in one write. */
  hold(): void {
    if (this.isHeld) return;
    this.isHeld = true;
    this.socket.cork();
    process.nextTick(release, this);
  }

  /** Ends a hold. */
  release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.socket.uncork();
  }
}

function release(output: AnswerOutput): void {
  output.release();
}
