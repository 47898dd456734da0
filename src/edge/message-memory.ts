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
  const idle = new Map<number, Slab[]>();
  let idleBytes = 0;
  let shared: Slab | undefined;

  function takeSlab(size: number): Slab {
    const slab = idle.get(size)?.pop();
    if (slab === undefined) return { bytes: Buffer.allocUnsafeSlow(size), used: 0, leases: 0 };
    idleBytes -= size;
    return slab;
  }

  function giveSlab(slab: Slab): void {
    const size = slab.bytes.length;
    slab.used = 0;
    if (idleBytes + size > IDLE_BYTES) return;
    idleBytes += size;
    const others = idle.get(size);
    if (others === undefined) idle.set(size, [slab]);
    else others.push(slab);
  }

  function slabFor(byteCount: number): Slab {
    if (byteCount > SHARED_BYTES) return takeSlab(2 ** Math.ceil(Math.log2(byteCount)));
    if (shared === undefined || shared.used + byteCount > SLAB_BYTES) {
      const full = shared;
      shared = takeSlab(SLAB_BYTES);
      if (full?.leases === 0) giveSlab(full);
    }
    return shared;
  }

  return {
    get idleBytes() {
      return idleBytes;
    },
    lease(byteCount) {
      const slab = slabFor(byteCount);
      const bytes = slab.bytes.subarray(slab.used, slab.used + byteCount);
      slab.used += byteCount;
      slab.leases++;
      return {
        bytes,
        release() {
          slab.leases--;
          if (slab.leases > 0) return;
          if (slab === shared) slab.used = 0;
          else giveSlab(slab);
        },
      };
    },
  };
}
