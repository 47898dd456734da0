import { Buffer } from "node:buffer";

const LEAST_BLOCK_BYTES = 1024;
const MOST_BLOCK_BYTES = 16_384;

/** Bytes that have come and nobody reads yet, in blocks of their own: however small the pieces, they take what they are long. */
export class ByteBacklog {
  private blocks: Buffer[] = [];
  /** Bytes of the last block. */
  private used = 0;

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  /** Copies `bytes`. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const last = this.blocks.at(-1);
      if (last === undefined || this.used === last.length) {
        const size = Math.max(LEAST_BLOCK_BYTES, (last?.length ?? 0) * 2, bytes.length - at);
        this.blocks.push(Buffer.allocUnsafeSlow(Math.min(MOST_BLOCK_BYTES, size)));
        this.used = 0;
        continue;
      }
      const piece = bytes.subarray(at, at + last.length - this.used);
      last.set(piece, this.used);
      this.used += piece.length;
      at += piece.length;
    }
  }

  /** The oldest bytes, which leave it; undefined where it is empty. */
  take(): Uint8Array | undefined {
    const first = this.blocks.shift();
    if (first === undefined) return undefined;
    return this.blocks.length === 0 ? first.subarray(0, this.used) : first;
  }

  clear(): void {
    this.blocks = [];
    this.used = 0;
  }
}
