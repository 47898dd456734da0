const SLOTS = 32;
const MAX_BLOCK_BYTES = 256;

interface Entry<T> {
  readonly bytes: Uint8Array;
  readonly generation: number;
  readonly value: T;
}

/**
 * Header blocks as they were decoded, found again by their bytes while the HPACK table does not change: gRPC clients
 * repeat the same 7 to 30 octets call after call. At most 32 blocks of 256 octets a connection.
 */
export class HeaderBlockCache<T> {
  private slots: (Entry<T> | undefined)[] | undefined;
  private last: Entry<T> | undefined;

  /** The value kept for exactly these bytes in this generation of the table, or undefined. */
  find(bytes: Uint8Array, start: number, end: number, generation: number): T | undefined {
    const last = this.last;
    if (last !== undefined && last.generation === generation && equals(last.bytes, bytes, start, end)) {
      return last.value;
    }
    if (this.slots === undefined || end - start > MAX_BLOCK_BYTES) return undefined;
    const entry = this.slots[slotOf(bytes, start, end)];
    if (entry === undefined || entry.generation !== generation || !equals(entry.bytes, bytes, start, end)) {
      return undefined;
    }
    this.last = entry;
    return entry.value;
  }

  /** Keeps `value` for a copy of these bytes; longer blocks are not kept. */
  keep(bytes: Uint8Array, start: number, end: number, generation: number, value: T): void {
    if (end - start > MAX_BLOCK_BYTES) return;
    this.slots ??= new Array<Entry<T> | undefined>(SLOTS).fill(undefined);
    const entry = { bytes: Uint8Array.prototype.slice.call(bytes, start, end), generation, value };
    this.slots[slotOf(bytes, start, end)] = entry;
    this.last = entry;
  }
}

function equals(kept: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (kept.length !== end - start) return false;
  for (let i = 0; i < kept.length; i++) {
    if (kept[i] !== bytes[start + i]) return false;
  }
  return true;
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}
