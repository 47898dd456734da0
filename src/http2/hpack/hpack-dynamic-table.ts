/** The cost of an entry beyond its octets (RFC 7541 section 4.1). */
export const ENTRY_OVERHEAD_BYTES = 32;

/**
 * HPACK's dynamic table: a ring of entries, newest first, bounded by `maxBytes` (RFC 7541 sections 2.3.2 and 4).
 * Strings hold one octet a character, so lengths are octets.
 */
export class DynamicTable {
  maxBytes: number;
  count = 0;
  bytes = 0;
  private names: string[] = [];
  private values: string[] = [];
  // Slot of the newest entry; older ones follow upwards, modulo the capacity, a power of two.
  private head = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Name of entry `index`, 0 the newest; the caller has checked `index < count`. */
  nameAt(index: number): string {
    return this.names[(this.head + index) & (this.names.length - 1)]!;
  }

  valueAt(index: number): string {
    return this.values[(this.head + index) & (this.values.length - 1)]!;
  }

  /** Adds an entry and evicts the oldest as needed; one larger than the table empties it (section 4.4). */
  add(name: string, value: string): void {
    const size = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.evictTo(this.maxBytes - size);
    if (size > this.maxBytes) return;
    if (this.count === this.names.length) this.grow();
    this.head = (this.head - 1) & (this.names.length - 1);
    this.names[this.head] = name;
    this.values[this.head] = value;
    this.count++;
    this.bytes += size;
  }

  /** Changes the bound and evicts what no longer fits (section 4.3). */
  resize(maxBytes: number): void {
    this.maxBytes = maxBytes;
    this.evictTo(maxBytes);
  }

  private evictTo(bytes: number): void {
    while (this.count > 0 && this.bytes > bytes) {
      const slot = (this.head + this.count - 1) & (this.names.length - 1);
      this.bytes -= this.names[slot]!.length + this.values[slot]!.length + ENTRY_OVERHEAD_BYTES;
      this.names[slot] = "";
      this.values[slot] = "";
      this.count--;
    }
  }

  private grow(): void {
    const capacity = Math.max(16, this.names.length * 2);
    const names = new Array<string>(capacity).fill("");
    const values = new Array<string>(capacity).fill("");
    for (let i = 0; i < this.count; i++) {
      names[i] = this.nameAt(i);
      values[i] = this.valueAt(i);
    }
    this.names = names;
    this.values = values;
    this.head = 0;
  }
}
