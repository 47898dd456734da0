/**
 * Memory for what connections send in one turn of the event loop. Comes in: how much a connection is about to write. Goes out: room
 * in a slab that all connections share, so that a batch's answers to a thousand of them take four megabytes and not sixty-four.
 * Promises: room belongs to its taker until it is given back; octets that the kernel has not taken are never written over.
 */
const SLAB_BYTES = 65_536;
/** Slabs that nobody uses and that are kept: what answers to a thousand connections take. */
const KEPT_SLABS = 64;

/** Memory that several connections write into, each in the room that it took. */
export interface Slab {
  readonly bytes: Buffer;
  /** Where the octets begin that nobody has taken. */
  offset: number;
  /** Takers that have not given their room back. */
  users: number;
  /** Octets before `offset` are still on their way to a socket: only what lies behind them can be used, and then it is left. */
  isSpoilt: boolean;
}

const kept: Slab[] = [];
let current = newSlab(SLAB_BYTES);

/** A slab in which the `byteCount` octets before its offset are the caller's until `giveRoom`. An idle connection holds none. */
export function takeRoom(byteCount: number): Slab {
  let slab = current;
  if (slab.bytes.length - slab.offset < byteCount) {
    if (byteCount > SLAB_BYTES) slab = newSlab(byteCount);
    else current = slab = kept.pop() ?? newSlab(SLAB_BYTES);
  }
  slab.offset += byteCount;
  slab.users++;
  return slab;
}

/** Makes room that ends at `end` longer where nobody has taken what lies behind it; false where it cannot be. */
export function growRoom(slab: Slab, end: number, byteCount: number): boolean {
  if (slab.offset !== end || slab.bytes.length - end < byteCount) return false;
  slab.offset = end + byteCount;
  return true;
}

/** Gives back the room from `start` to `end`, of which nothing is in use any more from `usedEnd` on: `start` where the kernel took all. */
export function giveRoom(slab: Slab, start: number, usedEnd: number, end: number): void {
  slab.users--;
  if (slab.offset === end) slab.offset = usedEnd;
  if (usedEnd > start) slab.isSpoilt = true;
  if (slab.users > 0 || slab.isSpoilt) return;
  slab.offset = 0;
  if (slab !== current && slab.bytes.length === SLAB_BYTES && kept.length < KEPT_SLABS) kept.push(slab);
}

function newSlab(byteCount: number): Slab {
  return { bytes: Buffer.allocUnsafeSlow(byteCount), offset: 0, users: 0, isSpoilt: false };
}
