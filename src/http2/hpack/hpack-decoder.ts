/**
 * HPACK decoding (RFC 7541). Comes in: one complete header block. Goes out: its fields, in order.
 * Promises: the dynamic table follows the peer's even when the list is too long to keep; memory stays within
 * `maxListBytes`; anything the RFC calls a decoding error throws ConnectionError COMPRESSION_ERROR.
 */
import { COMPRESSION_ERROR, ConnectionError } from "../frame/error-code.ts";
import { DynamicTable, ENTRY_OVERHEAD_BYTES } from "./hpack-dynamic-table.ts";
import { STATIC_COUNT, STATIC_TABLE } from "./hpack-static-table.ts";
import { huffmanDecode } from "./huffman.ts";

/** Fields of one block in wire order; `listBytes` counts them as RFC 9113 section 6.5.2 does. */
export interface DecodedFields {
  readonly names: string[];
  readonly values: string[];
  listBytes: number;
  /** True when `maxListBytes` was passed: fields from there on were read and dropped, all but the first content type. */
  truncated: boolean;
}

const STATIC_NAMES = STATIC_TABLE.map(([name]) => name);
const STATIC_VALUES = STATIC_TABLE.map(([, value]) => value);

interface Latin1Source extends Uint8Array {
  latin1Slice(start: number, end: number): string;
}

let scratch = Buffer.allocUnsafeSlow(4096);

/** Decodes the header blocks of one connection in the order they came. */
export class HpackDecoder {
  /** Goes up whenever the dynamic table changes: what was decoded from bytes alone holds only until then. */
  generation = 0;
  private readonly table: DynamicTable;
  private readonly maxTableBytes: number;
  private bytes: Uint8Array = scratch;
  private position = 0;
  private end = 0;

  /** `maxTableBytes` is what this end advertised as SETTINGS_HEADER_TABLE_SIZE. */
  constructor(maxTableBytes: number) {
    this.table = new DynamicTable(maxTableBytes);
    this.maxTableBytes = maxTableBytes;
  }

  /** Decodes `bytes[start, end)`. */
  decode(bytes: Uint8Array, start: number, end: number, maxListBytes: number): DecodedFields {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    const fields: DecodedFields = { names: [], values: [], listBytes: 0, truncated: false };
    let mayResize = true;
    while (this.position < end) {
      const first = bytes[this.position]!;
      if ((first & 0xe0) === 0x20) {
        // Size updates stand only at the beginning of a block (section 4.2).
        if (!mayResize) throw fault("a table size update follows a header field");
        this.resize(this.integer(5));
        continue;
      }
      mayResize = false;
      if ((first & 0x80) !== 0) {
        const index = this.integer(7);
        push(fields, this.nameOf(index), this.valueOf(index), maxListBytes);
      } else {
        const incremental = (first & 0x40) !== 0;
        const index = this.integer(incremental ? 6 : 4);
        const name = index === 0 ? this.text() : this.nameOf(index);
        const value = this.text();
        push(fields, name, value, maxListBytes);
        if (incremental) {
          this.table.add(name, value);
          this.generation++;
        }
      }
    }
    this.bytes = scratch;
    return fields;
  }

  private resize(maxBytes: number): void {
    if (maxBytes > this.maxTableBytes) throw fault("a table size update exceeds SETTINGS_HEADER_TABLE_SIZE");
    this.table.resize(maxBytes);
    this.generation++;
  }

  private nameOf(index: number): string {
    if (index > STATIC_COUNT && index <= STATIC_COUNT + this.table.count) {
      return this.table.nameAt(index - STATIC_COUNT - 1);
    }
    if (index === 0 || index > STATIC_COUNT) throw fault("no field stands at an index", String(index));
    return STATIC_NAMES[index - 1]!;
  }

  private valueOf(index: number): string {
    return index > STATIC_COUNT ? this.table.valueAt(index - STATIC_COUNT - 1) : STATIC_VALUES[index - 1]!;
  }

  /** An integer with an N-bit prefix (section 5.1), at most four continuation octets: 2^28 is beyond any use here. */
  private integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.bytes[this.position++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.position >= this.end) throw fault("an integer is cut off");
      const octet = this.bytes[this.position++]!;
      value += (octet & 0x7f) << shift;
      if ((octet & 0x80) === 0) return value;
    }
    throw fault("an integer is too large");
  }

  /** A string literal (section 5.2), one character an octet. */
  private text(): string {
    if (this.position >= this.end) throw fault("a string is cut off");
    const huffman = (this.bytes[this.position]! & 0x80) !== 0;
    const length = this.integer(7);
    const start = this.position;
    if (length > this.end - start) throw fault("a string is cut off");
    this.position = start + length;
    if (!huffman) return latin1(this.bytes, start, length);
    if (scratch.length < length * 2) scratch = Buffer.allocUnsafeSlow(length * 2);
    return latin1(scratch, 0, huffmanDecode(this.bytes, start, start + length, scratch));
  }
}

function latin1(bytes: Uint8Array, start: number, length: number): string {
  // `latin1Slice` is public but missing from the types; `toString` reaches it by a detour that costs as much again.
  return length === 0 ? "" : (bytes as Latin1Source).latin1Slice(start, start + length);
}

function push(fields: DecodedFields, name: string, value: string, maxListBytes: number): void {
  fields.listBytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
  if (fields.listBytes > maxListBytes) {
    // One field stays all the same: by it the request is refused in its own protocol.
    const kept = name === "content-type" && value.length <= maxListBytes && !fields.names.includes(name);
    fields.truncated = true;
    if (!kept) return;
  }
  fields.names.push(name);
  fields.values.push(value);
}

function fault(what: string, detail?: string): ConnectionError {
  return new ConnectionError(COMPRESSION_ERROR, `header block: ${what} (RFC 7541)`, detail);
}
