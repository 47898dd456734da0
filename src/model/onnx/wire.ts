/** One field of a protobuf message as it lies in the bytes. */
export interface WireField {
  readonly number: number;
  readonly wireType: number;
  /** Where its tag begins. */
  readonly start: number;
  /** Where its value begins: for length-delimited fields behind the length. */
  readonly valueStart: number;
  /** Behind its last byte. */
  readonly end: number;
}

/** Bytes that are no protobuf message, or one that ends too early. */
export class WireError extends Error {
  readonly kind: "malformed" | "truncated";
  constructor(kind: "malformed" | "truncated", message: string) {
    super(message);
    this.name = "WireError";
    this.kind = kind;
  }
}

/**
 * Visits the fields of one message in order without copying; throws WireError. The field given to `visit` is reused.
 * See https://protobuf.dev/programming-guides/encoding/.
 */
export function visitFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: (field: WireField) => void,
): void {
  const field = { number: 0, wireType: 0, start: 0, valueStart: 0, end: 0 };
  let at = start;
  while (at < end) {
    field.start = at;
    const tag = readVarint(bytes, at, end);
    at = varintEnd(bytes, at, end);
    field.number = Math.floor(tag / 8);
    field.wireType = tag % 8;
    if (field.number === 0) throw new WireError("malformed", `a field number 0 at byte ${field.start}`);
    field.valueStart = at;
    switch (field.wireType) {
      case 0:
        at = varintEnd(bytes, at, end);
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = readVarint(bytes, at, end);
        at = varintEnd(bytes, at, end);
        field.valueStart = at;
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        throw new WireError("malformed", `a wire type ${field.wireType} at byte ${field.start}`);
    }
    if (at > end) {
      throw new WireError("truncated", `a field at byte ${field.start} reaches to byte ${at} of ${end}`);
    }
    field.end = at;
    visit(field);
  }
}

/** The value of a varint up to 2^53; larger ones lose precision. */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let i = at; i < end && i < at + 10; i++) {
    const byte = bytes[i]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  throw new WireError(
    end - at < 10 ? "truncated" : "malformed",
    `a number at byte ${at} has no end before byte ${end}`,
  );
}

function varintEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end && i < at + 10; i++) if (bytes[i]! < 0x80) return i + 1;
  throw new WireError(
    end - at < 10 ? "truncated" : "malformed",
    `a number at byte ${at} has no end before byte ${end}`,
  );
}

/** The bytes of a varint for a number from 0 to 2^53. */
export function encodeVarint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return Uint8Array.from(out);
}

/** The tag and length that stand before a length-delimited field's value. */
export function lengthPrefix(fieldNumber: number, byteLength: number): Uint8Array {
  const tag = encodeVarint(fieldNumber * 8 + 2);
  const length = encodeVarint(byteLength);
  const prefix = new Uint8Array(tag.length + length.length);
  prefix.set(tag);
  prefix.set(length, tag.length);
  return prefix;
}

/** Pieces of bytes that are joined once at the end. */
export interface Pieces {
  readonly parts: Uint8Array[];
  byteLength: number;
}

/** Appends without copying. */
export function append(pieces: Pieces, part: Uint8Array): void {
  pieces.parts.push(part);
  pieces.byteLength += part.byteLength;
}

/** Appends `inner` as a length-delimited field. */
export function appendMessage(pieces: Pieces, fieldNumber: number, inner: Pieces): void {
  append(pieces, lengthPrefix(fieldNumber, inner.byteLength));
  for (const part of inner.parts) append(pieces, part);
}

/** Copies all pieces into one array. */
export function join(pieces: Pieces): Uint8Array {
  const bytes = new Uint8Array(pieces.byteLength);
  let at = 0;
  for (const part of pieces.parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
