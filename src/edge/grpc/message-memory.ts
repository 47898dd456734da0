import type { FrameStore } from "../../wire/deframer.ts";

/**
 * Memory for messages that are put together, used again once they are answered: 30 KiB of fresh memory a message cost a stream's
 * event loop half of its time in the collector.
 */

const SLAB_BYTES = 262_144;
/** Longer messages have a slab of their own, whose size is a power of two. */
const SHARED_BYTES = SLAB_BYTES / 4;
/** The most that is kept while nobody uses it. */
const IDLE_BYTES = 16_777_216;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Leases that are not given back. */
  leases: number;
}

/** Memory for one message. Never given back, it is left to the collector. */
export interface MessageLease {
  readonly bytes: Buffer;
  /** Gives the memory back, once: nobody may read it any more. */
  release(): void;
}

/** Leases memory; made by `createMessageMemory`. */
export interface MessageMemory {
  lease(byteCount: number): MessageLease;
  /** What is kept for later. */
  readonly idleBytes: number;
}

/** Holds nothing at first. */
export function createMessageMemory(): MessageMemory {
  return new SlabMemory();
}

/** Messages in leased memory, each copied once out of views that need not stay; whoever takes one releases it. */
export class LeasedFrames implements FrameStore<MessageLease> {
  private readonly memory: MessageMemory;
  private lease: MessageLease | undefined = undefined;
  private filled = 0;

  constructor(memory: MessageMemory) {
    this.memory = memory;
  }

  begin(byteCount: number): void {
    this.lease = this.memory.lease(byteCount);
    this.filled = 0;
  }

  add(octets: Uint8Array): void {
    this.lease!.bytes.set(octets, this.filled);
    this.filled += octets.length;
  }

  end(): MessageLease {
    const lease = this.lease!;
    this.lease = undefined;
    return lease;
  }
}

class SlabMemory implements MessageMemory {
  idleBytes = 0;
  private readonly idle = new Map<number, Slab[]>();
  private shared: Slab | undefined;

  lease(byteCount: number): MessageLease {
    const slab = this.slabFor(byteCount);
    const bytes = slab.bytes.subarray(slab.used, slab.used + byteCount);
    slab.used += byteCount;
    slab.leases++;
    return new SlabLease(bytes, slab, this);
  }

  release(slab: Slab): void {
    slab.leases--;
    if (slab.leases > 0) return;
    if (slab === this.shared) slab.used = 0;
    else this.giveSlab(slab);
  }

  private slabFor(byteCount: number): Slab {
    if (byteCount > SHARED_BYTES) return this.takeSlab(2 ** Math.ceil(Math.log2(byteCount)));
    let { shared } = this;
    if (shared === undefined || shared.used + byteCount > SLAB_BYTES) {
      const full = shared;
      shared = this.takeSlab(SLAB_BYTES);
      this.shared = shared;
      if (full?.leases === 0) this.giveSlab(full);
    }
    return shared;
  }

  private takeSlab(size: number): Slab {
    const slab = this.idle.get(size)?.pop();
    if (slab === undefined) return { bytes: Buffer.allocUnsafeSlow(size), used: 0, leases: 0 };
    this.idleBytes -= size;
    return slab;
  }

  private giveSlab(slab: Slab): void {
    const size = slab.bytes.length;
    slab.used = 0;
    if (this.idleBytes + size > IDLE_BYTES) return;
    this.idleBytes += size;
    const others = this.idle.get(size);
    if (others === undefined) this.idle.set(size, [slab]);
    else others.push(slab);
  }
}

class SlabLease implements MessageLease {
  readonly bytes: Buffer;
  private readonly slab: Slab;
  private readonly memory: SlabMemory;

  constructor(bytes: Buffer, slab: Slab, memory: SlabMemory) {
    this.bytes = bytes;
    this.slab = slab;
    this.memory = memory;
  }

  release(): void {
    this.memory.release(this.slab);
  }
}
