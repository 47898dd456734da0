/**
 * HPACK encoding (RFC 7541). Comes in: a block of response fields. Goes out: octets that mean the same on every
 * connection: static-table references and literals that are never indexed into the dynamic table, Huffman-coded
 * where that is shorter. So a constant block is encoded once for all connections, and needs no table of its own.
 */

import type { HeaderBlock } from "../stream.ts";
import { STATIC_TABLE } from "./hpack-static-table.ts";
import { huffmanEncode, huffmanLength } from "./huffman.ts";

const NAME_INDEX = new Map<string, number>();
const FIELD_INDEX = new Map<string, number>();
for (const [index, [name, value]] of STATIC_TABLE.entries()) {
  if (!NAME_INDEX.has(name)) NAME_INDEX.set(name, index + 1);
  if (value !== "") FIELD_INDEX.set(`${name}\n${value}`, index + 1);
}

// Fields that speak of one HTTP/1.1 connection must not be sent (RFC 9113 section 8.2.2).
const CONNECTION_FIELDS = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
const VALID_NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const FORBIDDEN_IN_VALUE = /[\0\r\n]|[^\0-\xff]/;

/** Writes an integer with an N-bit prefix (section 5.1) after `flags`; gives the offset after it. */
export function encodeInteger(
  value: number,
  prefixBits: number,
  flags: number,
  target: Uint8Array,
  offset: number,
): number {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    target[offset] = flags | value;
    return offset + 1;
  }
  let position = offset;
  target[position++] = flags | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[position++] = (rest & 0x7f) | 0x80;
  target[position++] = rest;
  return position;
}

function encodeText(text: string, target: Uint8Array, offset: number): number {
  const octets = Buffer.from(text, "latin1");
  const coded = huffmanLength(octets);
  if (coded < octets.length) {
    return huffmanEncode(octets, target, encodeInteger(coded, 7, 0x80, target, offset));
  }
  const position = encodeInteger(octets.length, 7, 0, target, offset);
  target.set(octets, position);
  return position + octets.length;
}

/**
 * Encodes fields in order, leaving out those that only speak of an HTTP/1.1 connection.
 * Throws TypeError for a name that is not a lower-case token and for a value with NUL, CR, LF or a character
 * beyond one octet: such a field could split a message.
 */
export function encodeFields(fields: HeaderBlock["fields"]): Buffer {
  let bound = 0;
  for (const [name, value] of fields) bound += name.length + value.length + 12;
  const target = Buffer.allocUnsafe(bound);
  let position = 0;
  for (const [name, value] of fields) {
    if (CONNECTION_FIELDS.has(name)) continue;
    if (!VALID_NAME.test(name)) throw new TypeError(`"${name}" is not a lower-case header field name`);
    if (FORBIDDEN_IN_VALUE.test(value)) throw forbiddenValue(name);
    const whole = FIELD_INDEX.get(`${name}\n${value}`);
    if (whole !== undefined) {
      position = encodeInteger(whole, 7, 0x80, target, position);
      continue;
    }
    const index = NAME_INDEX.get(name) ?? 0;
    position = encodeInteger(index, 4, 0, target, position);
    if (index === 0) position = encodeText(name, target, position);
    position = encodeText(value, target, position);
  }
  return target.subarray(0, position);
}

/** A field's name as a literal that is not indexed, for names that come again and again. */
const LITERAL_NAMES = new Map<string, Uint8Array>();
const MOST_NAMES = 256;

function literalName(name: string): Uint8Array {
  let octets = LITERAL_NAMES.get(name);
  if (octets !== undefined) return octets;
  if (!VALID_NAME.test(name)) throw new TypeError(`"${name}" is not a lower-case header field name`);
  const target = Buffer.allocUnsafe(name.length + 12);
  const index = NAME_INDEX.get(name) ?? 0;
  const position = encodeInteger(index, 4, 0, target, 0);
  octets = target.subarray(0, index === 0 ? encodeText(name, target, position) : position);
  if (LITERAL_NAMES.size < MOST_NAMES) LITERAL_NAMES.set(name, octets);
  return octets;
}

/** Values up to this length are written here: a native call costs more than they do. */
const SHORT_VALUE = 48;

/**
 * As `encodeFields`, for fields of one answer: values are written as they are, since Huffman's code takes longer than the few octets
 * that it saves do.
 */
function encodeOnce(fields: HeaderBlock["own"], target: Buffer, offset: number): number {
  let position = offset;
  for (const [name, value] of fields) {
    if (CONNECTION_FIELDS.has(name)) continue;
    const literal = literalName(name);
    if (FORBIDDEN_IN_VALUE.test(value)) throw forbiddenValue(name);
    for (let k = 0; k < literal.length; k++) target[position + k] = literal[k]!;
    position = encodeInteger(value.length, 7, 0, target, position + literal.length);
    if (value.length > SHORT_VALUE) target.write(value, position, "latin1");
    else for (let k = 0; k < value.length; k++) target[position + k] = value.charCodeAt(k);
    position += value.length;
  }
  return position;
}

function forbiddenValue(name: string): TypeError {
  return new TypeError(`header field "${name}": its value holds a character that HTTP/2 cannot carry`);
}

/** The octets of `block`, encoded at its first use and kept as long as the block is. */
export function encodedBlock(block: HeaderBlock): Uint8Array {
  block.encoded ??= encodeBlock(block);
  return block.encoded;
}

function encodeBlock({ own, base }: HeaderBlock): Uint8Array {
  if (base === undefined) return encodeFields(own);
  const octets = encodedBlock(base);
  let bound = octets.length;
  for (const [name, value] of own) bound += name.length + value.length + 12;
  const whole = Buffer.allocUnsafe(bound);
  whole.set(octets);
  return whole.subarray(0, encodeOnce(own, whole, octets.length));
}

const ENCODED_STATUS = new Map<number, Buffer>();

/** The octets of the `:status` field, which stands before all others (RFC 9113 section 8.3.2). */
export function encodedStatus(status: number): Buffer {
  let octets = ENCODED_STATUS.get(status);
  if (octets === undefined) {
    if (!Number.isInteger(status) || status < 100 || status > 599 || status === 101) {
      throw new RangeError(`${status} is not a status that HTTP/2 can carry (100 to 599, without 101)`);
    }
    octets = encodeFields([[":status", String(status)]]);
    ENCODED_STATUS.set(status, octets);
  }
  return octets;
}
