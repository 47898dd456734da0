const SLAB_BYTES = 65_536;
const KEPT_SLABS = 16;
// A slab with less room than this is left to the collector instead of being handed out again.
const MIN_ROOM_BYTES = 4_096;

/** Memory that outgoing frames are written into; octets before `offset` may still be on their way to a socket. */
export interface Slab {
  readonly bytes: Buffer;
  offset: number;
}

const kept: Slab[] = [];

/** A slab with room for at least `byteCount`; it belongs to the caller until `giveSlab`. An idle connection holds none. */
export function takeSlab(byteCount: number): Slab {
  for (let slab = kept.pop(); slab !== undefined; slab = kept.pop()) {
    if (slab.bytes.length - slab.offset >= byteCount) return slab;
  }
  return { bytes: Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, byteCount)), offset: 0 };
}

/** Gives a slab back; nothing at or after its offset may be in use any more. */
export function giveSlab(slab: Slab): void {
  if (kept.length < KEPT_SLABS && slab.bytes.length - slab.offset >= MIN_ROOM_BYTES) kept.push(slab);
}
