import type { Limit } from "../limits.ts";
import type { KnownTexts } from "./known-texts.ts";

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

const MOST_VARINT_BYTES = 10;
/** 7 bits each: more of them are above 2^53. */
const MOST_NUMBER_BYTES = 8;
const TOO_LONG = "has a number of more than 53 bits";
const MOST_TAG = 0xffff_ffff;
const MOST_TAG_BYTES = 5;
/** Behind the end of any message: no loop up to an end goes on from here. */
const GIVEN_UP = 0x7fff_ffff;

/** More than any message has. */
const ANY_TAGS = 0x7fff_ffff;
/**
 * The most fields that are read of a message in one piece, some milliseconds; those in the plain form have a tenth of them. What says one
 * field a million times is for a reader that gives the event loop back.
 */
export const MOST_PLAIN_FIELDS = 65_536;

const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * A place in protobuf octets, which moves over them field by field: the only reader of tags, numbers and lengths. What is wrong it tells
 * to `fail`; here the place then moves behind all ends, `fault` says why, and whoever reads asks for it when it is done. A reader whose
 * octets come from a caller that has to be answered throws there.
 */
export class WireCursor {
  at = 0;
  bytes = NO_BYTES;
  /** Tags that may still be read. */
  private tagsLeft = ANY_TAGS;
  /** What is wrong, as in "it ends in the middle"; empty where nothing is. */
  fault = "";
  /** Made where floats are read: most cursors read none. */
  private word: DataView | undefined = undefined;

  /** Starts at the first octet of what has at most so many fields, those of messages in it too. */
  begin(bytes: Uint8Array, mostFields = ANY_TAGS): void {
    this.bytes = bytes;
    this.at = 0;
    this.tagsLeft = mostFields;
    this.fault = "";
  }

  /** Gives up, because of a limit where one is named. What it returns stands for a number or an end. */
  fail(what: string, _limit?: Limit): number {
    if (this.fault === "") this.fault = what;
    this.at = GIVEN_UP;
    return GIVEN_UP;
  }

  /** A field's number and wire type, as `plainTag` says them. */
  tag(end: number): number {
    const from = this.at;
    if (--this.tagsLeft < 0) return this.fail("has too many fields");
    const tag = this.varint(end);
    if (tag < 8) return this.fail("has a field with the number 0");
    if (tag > MOST_TAG || this.at - from > MOST_TAG_BYTES)
      return this.fail("has a field whose number is too high");
    return tag;
  }

  /** A number of at most 53 bits. */
  varint(end: number): number {
    const { at } = this;
    if (at >= end) return this.cutOff();
    const octet = this.bytes[at]!;
    if (octet >= 0x80) return this.longVarint(end);
    this.at = at + 1;
    return octet;
  }

  /** The end of what is delimited by its length. */
  fieldEnd(end: number): number {
    const length = this.varint(end);
    const valueEnd = this.at + length;
    return valueEnd > end ? this.cutOff() : valueEnd;
  }

  /** The end of a number of so many octets. */
  fixedEnd(size: number, end: number): number {
    const valueEnd = this.at + size;
    return valueEnd > end ? this.cutOff() : valueEnd;
  }

  /** Moves over a value, a whole group where it is one. */
  skip(wireType: number, end: number): void {
    this.skipPart(wireType, end);
    for (let depth = wireType === GROUP_START ? 1 : 0; depth > 0 && this.fault === ""; ) {
      const inner = this.tag(end) & 7;
      if (inner === GROUP_START) depth++;
      else if (inner === GROUP_END) depth--;
      else this.skipPart(inner, end);
      if (depth > MAX_DEPTH) this.fail(`nests deeper than ${MAX_DEPTH} messages`, "message-depth");
    }
  }

  skipVarint(end: number): void {
    const { bytes } = this;
    const last = Math.min(end, this.at + MOST_VARINT_BYTES);
    for (let at = this.at; at < last; at++) {
      if (bytes[at]! >= 0x80) continue;
      this.at = at + 1;
      return;
    }
    this.cutOff();
  }

  /** What is left before `end`, where it lies. */
  view(end: number): Uint8Array {
    const view = this.bytes.subarray(this.at, end);
    this.at = end;
    return view;
  }

  /** The packed floats that are left before `end`, onto those that are there, of which there may be `most`. */
  floats(end: number, values: number[], most: number): void {
    const { bytes, at } = this;
    this.at = end;
    if (values.length + this.count(at, end, 4) > most) this.fail(`has more than ${most} numbers`);
    if (this.fault !== "") return;
    this.word ??= new DataView(new ArrayBuffer(4));
    const { word } = this;
    for (let i = at; i < end; i += 4) {
      word.setInt32(0, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
      values.push(word.getFloat32(0));
    }
  }

  /** The packed doubles that are left before `end`. */
  doubles(end: number): number[] {
    const { bytes, at } = this;
    this.at = end;
    const values = new Array<number>(this.count(at, end, 8));
    if (values.length === 0) return values;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, end - at);
    for (let i = 0; i < values.length; i++) values[i] = view.getFloat64(i * 8, true);
    return values;
  }

  /** The text that is left before `end`. */
  text(end: number, known: KnownTexts): string {
    const text = known.text(this.bytes, this.at, end);
    this.at = end;
    if (text === undefined) this.fail("has a text that is no UTF-8");
    return text ?? "";
  }

  /** As `text`, of a field with this tag, and of those that follow with the same: lists of labels are long. */
  texts(tag: number, end: number, known: KnownTexts, texts: string[]): void {
    for (let valueEnd = this.fieldEnd(end); ; ) {
      texts.push(this.text(valueEnd, known));
      const { bytes, at } = this;
      // Lengths of one octet; what else follows is the caller's.
      if (at + 1 >= end || bytes[at] !== tag || bytes[at + 1]! >= 0x80) return;
      this.at = at + 2;
      valueEnd = at + 2 + bytes[at + 1]!;
      if (valueEnd > end) valueEnd = this.cutOff();
    }
  }

  cutOff(): number {
    return this.fail("ends in the middle of a field");
  }

  private count(from: number, end: number, size: number): number {
    if ((end - from) % size === 0) return (end - from) / size;
    this.fail(`has packed numbers that are no multiple of ${size} bytes`);
    return 0;
  }

  private longVarint(end: number): number {
    const { bytes } = this;
    const last = Math.min(end, this.at + MOST_NUMBER_BYTES);
    let value = 0;
    let scale = 1;
    for (let at = this.at; at < last; at++, scale *= 128) {
      const octet = bytes[at]!;
      value += (octet & 0x7f) * scale;
      if (octet >= 0x80) continue;
      if (value > Number.MAX_SAFE_INTEGER) return this.fail(TOO_LONG);
      this.at = at + 1;
      return value;
    }
    return last === end ? this.cutOff() : this.fail(TOO_LONG);
  }

  private skipPart(wireType: number, end: number): void {
    if (wireType === VARINT) this.skipVarint(end);
    else if (wireType === FIXED64) this.at = this.fixedEnd(8, end);
    else if (wireType === FIXED32) this.at = this.fixedEnd(4, end);
    else if (wireType === DELIMITED) this.at = this.fieldEnd(end);
    else if (wireType !== GROUP_START) this.fail(`has the wire type ${wireType}`);
  }
}
