import { PREFIX_BYTES } from "./grpc-frame.ts";

/** Where the octets of a message are kept while it comes: what memory they take, and whose, is each caller's own promise. */
export interface FrameStore<Message> {
  /** A message of so many octets begins. Throws where it is not taken: nothing of it is kept. */
  begin(byteCount: number, flags: number): void;
  /** Octets of it, in order: a view of what was pushed. */
  add(octets: Uint8Array): void;
  /** It is whole. */
  end(): Message;
}

/** The error that refuses a message by its length. */
export type LengthRefusal = (maxMessageBytes: number, byteCount: number) => Error;

/** Keeps nothing: for those who only count, or have the octets already. */
export const NOTHING_KEPT: FrameStore<true> = { begin() {}, add() {}, end: () => true };

const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * Cuts messages with gRPC's prefix, a flag octet and a 4-byte length, out of octets that come in pieces of any size. A message that
 * is too long is refused by its prefix, after those before it and before any of its octets are kept.
 */
export class Deframer<Message> {
  /** Of the message that is on its way, or was the last: its flags, and its length without the prefix. */
  flags = 0;
  length = 0;
  /** Where reading goes on in what was pushed. */
  at = 0;
  private readonly store: FrameStore<Message>;
  private readonly maxMessageBytes: number;
  private readonly refusal: LengthRefusal;
  private bytes = NO_BYTES;
  private prefixBytes = 0;
  private filled = 0;

  constructor(store: FrameStore<Message>, maxMessageBytes: number, refusal: LengthRefusal) {
    this.store = store;
    this.maxMessageBytes = maxMessageBytes;
    this.refusal = refusal;
  }

  /** Octets of a message that has begun and is not whole, its prefix included. */
  get pendingBytes(): number {
    return this.prefixBytes + this.filled;
  }

  /** Takes the next piece, once `next` has read the one before; it has to stay until then. */
  push(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.at = 0;
  }

  /**
   * The next message; undefined until another piece comes. Throws the refusal of a message, or what its store throws, and must not be
   * called again then.
   */
  next(): Message | undefined {
    if (this.prefixBytes < PREFIX_BYTES && !this.readPrefix()) return this.needMore();
    const { bytes, at, length, filled } = this;
    const taken = Math.min(length - filled, bytes.length - at);
    if (taken > 0) {
      this.at = at + taken;
      this.filled = filled + taken;
      this.store.add(taken === bytes.length ? bytes : bytes.subarray(at, at + taken));
    }
    if (this.filled < length) return this.needMore();
    this.prefixBytes = this.filled = 0;
    return this.store.end();
  }

  /** True once it is whole. */
  private readPrefix(): boolean {
    const { bytes } = this;
    if (this.prefixBytes === 0) this.length = 0;
    for (; this.prefixBytes < PREFIX_BYTES; this.prefixBytes++) {
      if (this.at === bytes.length) return false;
      const octet = bytes[this.at++]!;
      if (this.prefixBytes === 0) this.flags = octet;
      else this.length = this.length * 256 + octet;
    }
    if (this.length > this.maxMessageBytes) throw this.refusal(this.maxMessageBytes, this.length);
    this.store.begin(this.length, this.flags);
    return true;
  }

  /** The piece is read, and need not stay any more. */
  private needMore(): undefined {
    this.bytes = NO_BYTES;
    this.at = 0;
    return undefined;
  }
}
