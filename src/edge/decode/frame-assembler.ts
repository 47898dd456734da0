import { PREFIX_BYTES } from "../../wire/grpc-frame.ts";

/** One message of a body, with its flags. */
export interface Frame {
  readonly flags: number;
  readonly bytes: Uint8Array;
}

/** Puts messages together from the pieces of a body, which it keeps; memory is taken for what has come, not for what is announced. */
export class FrameAssembler {
  private parts: Uint8Array[] = [];
  private heldBytes = 0;
  private flags = 0;
  private length = -1;

  /** Octets that came after the last whole message. */
  get pendingBytes(): number {
    return this.length < 0 ? this.heldBytes : this.heldBytes + PREFIX_BYTES;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.parts.push(bytes);
    this.heldBytes += bytes.length;
  }

  /** The next message; undefined until it is whole. Its octets are its own, or a view of a piece. */
  next(): Frame | undefined {
    if (this.length < 0) {
      if (this.heldBytes < PREFIX_BYTES) return undefined;
      const [flags, ...length] = this.cut(PREFIX_BYTES);
      this.flags = flags!;
      this.length = length.reduce((value, octet) => value * 256 + octet, 0);
    }
    if (this.heldBytes < this.length) return undefined;
    const bytes = this.cut(this.length);
    this.length = -1;
    return { flags: this.flags, bytes };
  }

  private cut(byteCount: number): Uint8Array {
    const [first] = this.parts;
    this.heldBytes -= byteCount;
    if (byteCount === 0) return new Uint8Array(0);
    if (first!.length > byteCount) {
      this.parts[0] = first!.subarray(byteCount);
      return first!.subarray(0, byteCount);
    }
    if (first!.length === byteCount) {
      this.parts.shift();
      return first!;
    }
    const whole = Buffer.allocUnsafeSlow(byteCount);
    let filled = 0;
    let used = 0;
    for (; filled < byteCount; used++) {
      const part = this.parts[used]!;
      const taken = Math.min(part.length, byteCount - filled);
      whole.set(taken === part.length ? part : part.subarray(0, taken), filled);
      filled += taken;
      if (taken === part.length) continue;
      this.parts[used] = part.subarray(taken);
      break;
    }
    this.parts = this.parts.slice(used);
    return whole;
  }
}
