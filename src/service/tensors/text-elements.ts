import { isUtf8 } from "node:buffer";
import { WrongTexts } from "../../tensor/wrong-texts.ts";
import { type Fault, stringFault } from "../check/value-rules.ts";
import type { ElementFaults } from "./element-faults.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
/** Shorter texts of ASCII are made here: a native call costs more than they do. */
const SHORT = 24;

/** Texts as they came: one after another in `bytes`, the i-th from `starts[i]` to `ends[i]`. */
export interface TextPlaces {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Finds the texts of raw contents, each with its 4-byte length before it; undefined where they are not `expected` texts. */
export function findRawTexts(bytes: Uint8Array, expected: number): TextPlaces | undefined {
  // Each takes 4 bytes at least: no room is made for more than came.
  if (expected * 4 > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = new Uint32Array(expected);
  const ends = new Uint32Array(expected);
  let at = 0;
  for (let i = 0; i < expected; i++) {
    if (at + 4 > bytes.length) return undefined;
    const start = at + 4;
    at = start + view.getUint32(at, true);
    if (at > bytes.length) return undefined;
    starts[i] = start;
    ends[i] = at;
  }
  return at === bytes.length ? { bytes, starts, ends } : undefined;
}

/** The texts of raw contents; those that are no texts are added to `faults`, and what is returned is of no use then. */
export function readRawTexts({ bytes, starts, ends }: TextPlaces, faults: ElementFaults): string[] {
  const texts = new Array<string>(starts.length);
  let failed = false;
  for (let i = 0; i < starts.length; i++) {
    const text = readText(bytes, starts[i]!, ends[i]!, failed);
    if (text === undefined) {
      failed = true;
      faults.add(i);
    } else texts[i] = text;
  }
  return texts;
}

/** Octets that `RawTexts` reads at once. */
const PIECE_OCTETS = 32_768;
/** A piece of texts of nothing has so many at most. */
const PIECE_TEXTS = PIECE_OCTETS / 4;

/** The texts of large raw contents, read piece by piece. */
export class RawTexts {
  /** Of no use where they are not as many as expected, or any is wrong. */
  readonly texts: string[];
  /** They are not as many as expected. */
  isMisframed = false;
  readonly wrong: WrongTexts;
  private readonly octets: Buffer;
  private readonly starts = new Uint32Array(PIECE_TEXTS);
  private readonly ends = new Uint32Array(PIECE_TEXTS);
  private count = 0;
  private at = 0;

  /** `shape` says which of them share a row, for those that are wrong. */
  constructor(
    { buffer, byteOffset, byteLength }: Uint8Array,
    expected: number,
    shape: readonly bigint[] = [],
  ) {
    this.octets = Buffer.from(buffer, byteOffset, byteLength);
    this.wrong = new WrongTexts(shape);
    // Each takes 4 bytes at least: no room is made for more than came.
    this.isMisframed = expected * 4 > byteLength;
    this.texts = new Array<string>(this.isMisframed ? 0 : expected);
  }

  /** Goes on; true at the end. */
  step(): boolean {
    const { octets, texts, starts, ends } = this;
    if (this.isMisframed) return true;
    if (this.count === texts.length) {
      this.isMisframed = this.at !== octets.length;
      return true;
    }
    const from = this.at;
    const pieceEnd = from + PIECE_OCTETS;
    let found = 0;
    let at = from;
    while (at < pieceEnd && found < PIECE_TEXTS && this.count + found < texts.length) {
      const start = at + 4;
      at = start > octets.length ? start : start + octets.readUInt32LE(start - 4);
      if (at > octets.length) {
        this.isMisframed = true;
        return true;
      }
      starts[found] = start - from;
      ends[found++] = at - from;
    }
    this.at = at;
    if (isPlainPiece(octets, from, starts, ends, found)) this.readPlain(from, found);
    else this.readEach(from, found);
    this.count += found;
    return false;
  }

  /** One native call for all: one for each would cost several times as much. */
  private readPlain(from: number, found: number): void {
    const { texts, starts, ends, count } = this;
    const piece = this.octets.toString("latin1", from, this.at);
    for (let i = 0; i < found; i++) texts[count + i] = piece.slice(starts[i], ends[i]);
  }

  private readEach(from: number, found: number): void {
    const { octets, texts, starts, ends, count, wrong } = this;
    for (let i = 0; i < found; i++) {
      const start = from + starts[i]!;
      const end = from + ends[i]!;
      const text = readText(octets, start, end, wrong.count > 0);
      if (text === undefined) wrong.add(count + i, octets.subarray(start, end));
      else texts[count + i] = text;
    }
  }
}

/** Whether texts are of ASCII without NUL. */
function isPlainPiece(
  octets: Uint8Array,
  from: number,
  starts: Uint32Array,
  ends: Uint32Array,
  count: number,
): boolean {
  for (let i = 0; i < count; i++) {
    const end = from + ends[i]!;
    for (let at = from + starts[i]!; at < end; at++) {
      const octet = octets[at]!;
      if (octet === 0 || octet > 0x7f) return false;
    }
  }
  return true;
}

/** What `readRawTexts` does, for texts of their own arrays. */
export function readTexts(elements: readonly Uint8Array[], faults: ElementFaults): string[] {
  const texts = new Array<string>(elements.length);
  let failed = false;
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i]!;
    const text = readText(element, 0, element.length, failed);
    if (text === undefined) {
      failed = true;
      faults.add(i);
    } else texts[i] = text;
  }
  return texts;
}

/** What is wrong with bytes that are no text for a model. */
export function textFault(bytes: Uint8Array): Fault {
  const fault = isUtf8(bytes) ? stringFault(utf8.decode(bytes)) : undefined;
  return fault ?? { rule: "value.utf8", description: "a string that is not valid UTF-8 came" };
}

/** Undefined for what is not UTF-8 or holds a NUL. With `onlyChecks` any text does. */
export function readText(
  bytes: Uint8Array,
  from: number,
  to: number,
  onlyChecks: boolean,
): string | undefined {
  let isAscii = true;
  for (let at = from; at < to; at++) {
    const octet = bytes[at]!;
    if (octet === 0) return undefined;
    if (octet > 0x7f) isAscii = false;
  }
  if (!isAscii && !isText(bytes, from, to)) return undefined;
  if (onlyChecks) return "";
  if (!isAscii || to - from > SHORT) return utf8.decode(bytes.subarray(from, to));
  let text = "";
  for (let at = from; at < to; at++) text += ASCII[bytes[at]!]!;
  return text;
}

const ASCII: readonly string[] = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

function isText(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from > SHORT) return isUtf8(bytes.subarray(from, to));
  let at = from;
  while (at < to) {
    const octet = bytes[at++]!;
    if (octet < 0x80) continue;
    const more = octet < 0xc2 || octet > 0xf4 ? 0 : octet < 0xe0 ? 1 : octet < 0xf0 ? 2 : 3;
    if (more === 0 || at + more > to || !isSecond(octet, bytes[at]!)) return false;
    for (let i = 1; i < more; i++) if (bytes[at + i]! >> 6 !== 2) return false;
    at += more;
  }
  return true;
}

/** Whether an octet may stand behind the first of several: neither too long a form, nor half of a pair, nor beyond Unicode. */
function isSecond(first: number, second: number): boolean {
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  return second >= least && second <= most;
}
