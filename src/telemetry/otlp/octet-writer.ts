/** Writes the protobuf of OTLP, one field after the other, into octets that grow. The tags of fields are given as they are written. */

const LENGTH_OF_ONE_OCTET = 0x7f;
const MOST_VARINT_BYTES = 10;
const FIXED64_BYTES = 8;
const MOST_BYTES_OF_CHARACTER = 3;
const WORDS = 2 ** 32;
const LEAST_INT64 = -(2 ** 63);
const PAST_INT64 = 2 ** 63;

/** A value as attributes have them. */
export type WrittenValue = string | number | boolean;

/** Octets that are written. */
export class OctetWriter {
  private octets: Buffer;
  /** Where the next one is written. */
  private at = 0;

  /** `size`: octets to begin with. */
  constructor(size: number) {
    this.octets = Buffer.allocUnsafeSlow(size);
  }

  /** What is written; it stays as it is only until `clear`. */
  written(): Buffer {
    return this.octets.subarray(0, this.at);
  }

  /** Octets that are written. */
  get length(): number {
    return this.at;
  }

  /** Forgets what is written, and keeps its memory. */
  clear(): void {
    this.at = 0;
  }

  /** A number as a varint: a whole one of at most 2^53 of either sign, or beyond it as a double can say it. */
  varint(tag: number, value: number): void {
    this.room(1 + MOST_VARINT_BYTES);
    this.octets[this.at++] = tag;
    if (value < 0) this.longVarint(BigInt.asUintN(64, BigInt(value)));
    else this.bareVarint(value);
  }

  /** Text as UTF-8. */
  text(tag: number, text: string): void {
    const { length } = text;
    this.room(1 + MOST_VARINT_BYTES + length * MOST_BYTES_OF_CHARACTER);
    const { octets } = this;
    let { at } = this;
    octets[at++] = tag;
    if (length <= LENGTH_OF_ONE_OCTET) {
      octets[at++] = length;
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) break;
        octets[at + i] = code;
      }
      if (i === length) {
        this.at = at + length;
        return;
      }
      at--;
    }
    this.at = at;
    this.bareVarint(Buffer.byteLength(text));
    this.at += octets.write(text, this.at);
  }

  /** Octets that are written already, tags and all; few of them. */
  copy(written: Uint8Array): void {
    const { length } = written;
    this.room(length);
    const { octets, at } = this;
    // One by one, at less than a native copy of a few costs.
    for (let i = 0; i < length; i++) octets[at + i] = written[i]!;
    this.at = at + length;
  }

  /** 64 bits, as two words of 32. */
  fixed64(tag: number, low: number, high: number): void {
    this.room(1 + FIXED64_BYTES);
    this.octets[this.at++] = tag;
    this.word(low);
    this.word(high);
  }

  /** A tag of a number above 15, and 32 bits. */
  fixed32(tag: number, value: number): void {
    this.room(6);
    this.bareVarint(tag);
    this.word(value);
  }

  /** An AnyValue's field. */
  value(value: WrittenValue): void {
    if (typeof value === "string") this.text(0x0a, value);
    else if (typeof value === "boolean") this.varint(0x10, value ? 1 : 0);
    else if (Number.isInteger(value) && value >= LEAST_INT64 && value < PAST_INT64) this.varint(0x18, value);
    else {
      this.room(1 + FIXED64_BYTES);
      this.octets[this.at++] = 0x21;
      this.at = this.octets.writeDoubleLE(value, this.at);
    }
  }

  /** Begins a message within this one; `close` is given what is returned. */
  open(tag: number): number {
    this.room(2);
    this.octets[this.at++] = tag;
    return ++this.at;
  }

  /** Ends the message that began there: one octet was left for its length, and where that is not enough it moves. */
  close(from: number): void {
    const byteCount = this.at - from;
    if (byteCount <= LENGTH_OF_ONE_OCTET) {
      this.octets[from - 1] = byteCount;
      return;
    }
    let more = 0;
    for (let left = byteCount; left > LENGTH_OF_ONE_OCTET; left >>>= 7) more++;
    this.room(more);
    this.octets.copyWithin(from + more, from, this.at);
    const end = this.at + more;
    this.at = from - 1;
    this.bareVarint(byteCount);
    this.at = end;
  }

  private bareVarint(value: number): void {
    if (value >= WORDS) {
      this.longVarint(BigInt(value));
      return;
    }
    const { octets } = this;
    let { at } = this;
    let left = value;
    for (; left > 0x7f; left >>>= 7) octets[at++] = (left & 0x7f) | 0x80;
    octets[at++] = left;
    this.at = at;
  }

  private longVarint(value: bigint): void {
    let left = value;
    for (; left > 0x7fn; left >>= 7n) this.octets[this.at++] = Number(left & 0x7fn) | 0x80;
    this.octets[this.at++] = Number(left);
  }

  private word(value: number): void {
    const { octets, at } = this;
    octets[at] = value;
    octets[at + 1] = value >>> 8;
    octets[at + 2] = value >>> 16;
    octets[at + 3] = value >>> 24;
    this.at = at + 4;
  }

  private room(byteCount: number): void {
    const needed = this.at + byteCount;
    if (needed > this.octets.length) this.grow(needed);
  }

  private grow(needed: number): void {
    const octets = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.octets.length));
    this.octets.copy(octets, 0, 0, this.at);
    this.octets = octets;
  }
}
