import { PREFIX_BYTES, writePrefix } from "./grpc-frame.ts";
import { DELIMITED } from "./wire-cursor.ts";

/** The most octets of a varint: what a negative number takes, as protobuf sign-extends it to 64 bits. */
export const MOST_VARINT_BYTES = 10;
const DOUBLE_BYTES = 8;
/** So many are written one by one, at less than a copy costs. */
const FEW_DOUBLES = 16;
/** More are written here, aligned, and copied: in half the time that a view of octets at any place takes. */
const SCRATCH_DOUBLES = 1024;
const scratch = new Float64Array(SCRATCH_DOUBLES);
const scratchBytes = Buffer.from(scratch.buffer);
/** Fewer characters are written one by one, at less than a call costs. */
const SHORT_TEXT = 32;

/** Octets of a number as a varint. */
export function varintBytes(value: number): number {
  if (value < 0) return MOST_VARINT_BYTES;
  let bytes = 1;
  for (let left = value; left > 0x7f; left = Math.floor(left / 128)) bytes++;
  return bytes;
}

/** As `varintBytes`, of an unsigned number of 64 bits; below 2^53 a number does, which costs a tenth. */
export function varint64Bytes(value: bigint): number {
  if (value <= Number.MAX_SAFE_INTEGER) return varintBytes(Number(value));
  let bytes = 1;
  for (let left = value; left > 0x7fn; left >>= 7n) bytes++;
  return bytes;
}

/** Octets of a delimited field with a tag of one octet. */
export function fieldBytes(byteCount: number): number {
  return 1 + varintBytes(byteCount) + byteCount;
}

/** As `fieldBytes`, of a field that is left out where it is empty, as proto3 does. */
export function optionalBytes(byteCount: number): number {
  return byteCount === 0 ? 0 : fieldBytes(byteCount);
}

/** Tag and length of a delimited field of any number. */
export function fieldHead(number: number, byteCount: number): Uint8Array {
  const writer = new WireWriter(Buffer.allocUnsafe(2 * MOST_VARINT_BYTES));
  writer.varint(number * 8 + DELIMITED);
  writer.varint(byteCount);
  return writer.cut();
}

/** Writes protobuf one field after the other, into octets that were measured before; tags are those of `plainTag`. */
export class WireWriter {
  private readonly octets: Buffer;
  /** Where the next octet is written, and where the piece began that is not cut yet. */
  private at = 0;
  private from = 0;

  constructor(octets: Buffer, at = 0) {
    this.octets = octets;
    this.at = at;
  }

  /** gRPC's prefix of a message that is not compressed. */
  prefix(messageBytes: number): void {
    writePrefix(this.octets, 0, messageBytes);
    this.at = PREFIX_BYTES;
  }

  tag(tag: number): void {
    this.octets[this.at++] = tag;
  }

  varint(value: number): void {
    if (value < 0) {
      this.varint64(BigInt(value));
      return;
    }
    const { octets } = this;
    let { at } = this;
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 128)) octets[at++] = (left & 0x7f) | 0x80;
    octets[at++] = left;
    this.at = at;
  }

  varint64(value: bigint): void {
    if (value >= 0n && value <= Number.MAX_SAFE_INTEGER) {
      this.varint(Number(value));
      return;
    }
    let left = BigInt.asUintN(64, value);
    for (; left > 0x7fn; left >>= 7n) this.octets[this.at++] = Number(left & 0x7fn) | 0x80;
    this.octets[this.at++] = Number(left);
  }

  tagged(tag: number, value: number): void {
    this.octets[this.at++] = tag;
    this.varint(value);
  }

  bytes(bytes: Uint8Array): void {
    this.octets.set(bytes, this.at);
    this.at += bytes.length;
  }

  field(tag: number, bytes: Uint8Array): void {
    this.tagged(tag, bytes.length);
    this.bytes(bytes);
  }

  /** `byteCount`: of its UTF-8. */
  text(tag: number, text: string, byteCount: number): void {
    this.tagged(tag, byteCount);
    const { octets, at } = this;
    if (byteCount === text.length && byteCount < SHORT_TEXT) {
      for (let i = 0; i < byteCount; i++) octets[at + i] = text.charCodeAt(i);
    } else octets.write(text, at, byteCount, "utf8");
    this.at = at + byteCount;
  }

  /** Packed doubles. */
  doubles(tag: number, values: readonly number[]): void {
    const byteCount = values.length * DOUBLE_BYTES;
    this.tagged(tag, byteCount);
    const { octets, at } = this;
    this.at = at + byteCount;
    if (values.length <= FEW_DOUBLES) {
      for (let i = 0; i < values.length; i++) octets.writeDoubleLE(values[i]!, at + i * DOUBLE_BYTES);
      return;
    }
    for (let first = 0; first < values.length; first += SCRATCH_DOUBLES) {
      const count = Math.min(SCRATCH_DOUBLES, values.length - first);
      for (let i = 0; i < count; i++) scratch[i] = values[first + i]!;
      scratchBytes.copy(octets, at + first * DOUBLE_BYTES, 0, count * DOUBLE_BYTES);
    }
  }

  /** What was written since the last cut. */
  cut(): Buffer {
    const piece = this.octets.subarray(this.from, this.at);
    this.from = this.at;
    return piece;
  }
}
