import type { MessageLease, MessageMemory } from "../grpc/message-memory.ts";

/** Room is made for so many times what has come, where so much is announced: memory that nothing was written to takes none. */
const ANNOUNCED_FACTOR = 16;

/** The octets of a request's body as they come, one after the other in memory that is used again. */
export class ArrivedBody {
  length = 0;
  /** How long it will be, once that is known. */
  announcedBytes = 0;
  private readonly memory: MessageMemory;
  private readonly mostBytes: number;
  private lease: MessageLease | undefined = undefined;

  /** `mostBytes`: more never come but with the last piece. */
  constructor(memory: MessageMemory, mostBytes: number) {
    this.memory = memory;
    this.mostBytes = mostBytes;
  }

  /** Copies a piece, a view that need not stay. Memory is taken for what has come, not for what is only announced. */
  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const length = this.length + piece.length;
    const { lease } = this;
    if (lease === undefined || lease.bytes.length < length) {
      const larger = this.memory.lease(lease === undefined ? length : this.roomFor(length));
      if (lease !== undefined) {
        larger.bytes.set(lease.bytes.subarray(0, this.length));
        lease.release();
      }
      this.lease = larger;
    }
    this.lease!.bytes.set(piece, this.length);
    this.length = length;
  }

  /** A copy into ever larger memory costs more than the octets do: once a part of it has come, there is room for all. */
  private roomFor(length: number): number {
    const { announcedBytes } = this;
    if (length <= announcedBytes && announcedBytes <= length * ANNOUNCED_FACTOR) return announcedBytes;
    return Math.max(length, Math.min(2 * length, this.mostBytes));
  }

  /** The octets from `start` on; nothing may be added while they are read. */
  from(start: number): Uint8Array {
    return this.lease === undefined ? NO_BYTES : this.lease.bytes.subarray(start, this.length);
  }

  /** Gives the memory back: nobody reads the octets any more. */
  release(): void {
    this.lease?.release();
    this.lease = undefined;
    this.length = 0;
  }
}

const NO_BYTES = new Uint8Array(0);
