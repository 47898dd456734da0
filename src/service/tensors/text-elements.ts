import { isUtf8 } from "node:buffer";
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

/** The same for texts of their own arrays. */
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
  // Of one octet none but ASCII is; a native call would cost more than all else.
  return to - from > 1 && isUtf8(bytes.subarray(from, to));
}
