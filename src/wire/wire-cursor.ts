import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";

/** The wire types of protobuf. */
export const VARINT = 0;
/** As VARINT. */
export const FIXED64 = 1;
export const DELIMITED = 2;
export const FIXED32 = 5;
const GROUP_START = 3;
const GROUP_END = 4;

/** Messages in messages: what protobuf's own decoders allow. */
export const MAX_DEPTH = 100;

/** A place in protobuf octets, which moves over them field by field; throws INVALID_REQUEST where they are no protobuf. */
export class WireCursor {
  at = 0;
  protected readonly bytes: Uint8Array;
  private readonly typeName: string;

  constructor(bytes: Uint8Array, typeName: string) {
    this.bytes = bytes;
    this.typeName = typeName;
  }

  /** A number of at most 32 bits: a field's number and wire type, or a length. */
  varint(end: number): number {
    const { bytes } = this;
    let value = 0;
    for (let shift = 0, at = this.at; shift < 35 && at < end; shift += 7) {
      const octet = bytes[at++]!;
      value += (octet & 0x7f) * 2 ** shift;
      if (octet >= 0x80) continue;
      this.at = at;
      return value;
    }
    throw this.cutOff();
  }

  /** The end of what is delimited by its length. */
  length(end: number): number {
    const valueEnd = this.varint(end) + this.at;
    if (valueEnd > end) throw this.cutOff();
    return valueEnd;
  }

  /** Moves over a value, a whole group where it is one. */
  skip(wireType: number, end: number): void {
    this.skipPart(wireType, end);
    if (wireType !== GROUP_START) return;
    for (let depth = 1; depth > 0; ) {
      const inner = this.varint(end) & 7;
      if (inner === GROUP_START) depth++;
      else if (inner === GROUP_END) depth--;
      else this.skipPart(inner, end);
      if (depth > MAX_DEPTH) throw this.malformed(`nests deeper than ${MAX_DEPTH} messages`);
    }
  }

  skipVarint(end: number): void {
    const { bytes } = this;
    const last = Math.min(end, this.at + 10);
    for (let at = this.at; at < last; at++) {
      if (bytes[at]! >= 0x80) continue;
      this.at = at + 1;
      return;
    }
    throw this.cutOff();
  }

  cutOff(): AssayError {
    return this.malformed("ends in the middle of a field");
  }

  malformed(what: string): AssayError {
    const { length } = this.bytes;
    return new AssayError(
      Reason.INVALID_REQUEST,
      `the message of ${length} bytes is no protobuf of ${this.typeName}: it ${what}, near byte ${Math.min(this.at, length)}`,
    );
  }

  private skipPart(wireType: number, end: number): void {
    if (wireType === VARINT) this.skipVarint(end);
    else if (wireType === FIXED64) this.at += 8;
    else if (wireType === FIXED32) this.at += 4;
    else if (wireType === DELIMITED) this.at = this.length(end);
    else if (wireType !== GROUP_START) throw this.malformed(`has the wire type ${wireType}`);
    if (this.at > end) throw this.cutOff();
  }
}
