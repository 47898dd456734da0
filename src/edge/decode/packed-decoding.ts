/** The contents of a large tensor in one array, from octets that were scanned: a list of millions of values takes four times as much. */
import { ScalarType } from "@bufbuild/protobuf";
import { TensorContentsSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { readText } from "../../service/tensors/text-elements.ts";
import type { ContentsField, NumericArray } from "../../tensor/datatype.ts";
import { PackedContents } from "../../tensor/packed-contents.ts";
import { WrongTexts } from "../../tensor/wrong-texts.ts";
import { DELIMITED } from "../../wire/wire-cursor.ts";
import type { LoopSlices } from "../memory/loop-slices.ts";
import { RequestCursor } from "./request-cursor.ts";

/** Octets that are read at once. */
const PIECE_OCTETS = 32_768;
const PIECE_TEXTS = 4096;
const MOST_VARINT_BYTES = 10;
/** Octets that are copied or counted at once. */
const COPIED_OCTETS = 1_048_576;

/**
 * Reads the octets of a `TensorContents`; undefined where they are not one packed list of numbers, or texts, alone: protobuf allows more,
 * which its own reader reads. `shape` says which texts share a row, for those that are wrong.
 */
export async function decodePacked(
  bytes: Uint8Array,
  slices: LoopSlices,
  shape: readonly bigint[] = [],
): Promise<PackedContents | undefined> {
  const cursor = new RequestCursor(bytes, TensorContentsSchema.typeName);
  const tag = cursor.tag(bytes.length);
  const field = TensorContentsSchema.fields.find(({ number }) => number === tag >>> 3);
  if (field?.fieldKind !== "list" || (tag & 7) !== DELIMITED || field.listKind !== "scalar") return undefined;
  const name = field.localName as ContentsField;
  if (field.scalar === ScalarType.BYTES) {
    const wrong = new WrongTexts(shape);
    const texts = await readTexts(bytes, tag, slices, wrong);
    return texts && new PackedContents(name, texts, wrong.count > 0 ? wrong : undefined);
  }
  if (cursor.fieldEnd(bytes.length) !== bytes.length) return undefined;
  const values = await readNumbers(bytes.subarray(cursor.at), field.scalar, slices);
  return values && new PackedContents(name, values);
}

async function readTexts(
  bytes: Uint8Array,
  tag: number,
  slices: LoopSlices,
  wrong: WrongTexts,
): Promise<string[] | undefined> {
  const texts: string[] = [];
  const cursor = new RequestCursor(bytes, TensorContentsSchema.typeName);
  const { length } = bytes;
  while (cursor.at < length) {
    if (cursor.tag(length) !== tag) return undefined;
    const end = cursor.fieldEnd(length);
    const text = readText(bytes, cursor.at, end, wrong.count > 0);
    if (text === undefined) wrong.add(texts.length, bytes.subarray(cursor.at, end));
    texts.push(text ?? "");
    cursor.at = end;
    if (texts.length % PIECE_TEXTS === 0) await slices.pause();
  }
  return texts;
}

async function readNumbers(
  bytes: Uint8Array,
  scalar: ScalarType,
  slices: LoopSlices,
): Promise<NumericArray | undefined> {
  if (scalar === ScalarType.FLOAT) return new Float32Array(await copied(bytes, slices));
  if (scalar === ScalarType.DOUBLE) return new Float64Array(await copied(bytes, slices));
  if (scalar === ScalarType.BOOL) return readFlags(bytes, slices);
  let count = 0;
  for (let from = 0; from < bytes.length; from += COPIED_OCTETS) {
    const end = Math.min(bytes.length, from + COPIED_OCTETS);
    for (let i = from; i < end; i++) if (bytes[i]! < 0x80) count++;
    await slices.pause();
  }
  const isLong = scalar === ScalarType.INT64 || scalar === ScalarType.UINT64;
  const words = new Uint32Array(isLong ? 2 * count : count);
  const read = isLong ? readLongVarints : readVarints;
  for (let from = 0, at = 0; from < bytes.length; ) {
    let end = Math.min(bytes.length, from + PIECE_OCTETS);
    while (end < bytes.length && bytes[end - 1]! >= 0x80) end++;
    at = read(bytes, from, end, words, at);
    from = end;
    await slices.pause();
  }
  if (scalar === ScalarType.INT64) return new BigInt64Array(words.buffer);
  if (scalar === ScalarType.UINT64) return new BigUint64Array(words.buffer);
  return scalar === ScalarType.INT32 ? new Int32Array(words.buffer) : words;
}

/** The same for few octets, at once; undefined too where they are no list of such numbers. */
export function packedNumbers(bytes: Uint8Array, scalar: ScalarType): NumericArray | undefined {
  const { length } = bytes;
  if (scalar === ScalarType.FLOAT || scalar === ScalarType.DOUBLE) {
    const isFloat = scalar === ScalarType.FLOAT;
    if (length % (isFloat ? 4 : 8) !== 0) return undefined;
    const { buffer } = new Uint8Array(bytes);
    return isFloat ? new Float32Array(buffer) : new Float64Array(buffer);
  }
  let count = 0;
  let run = 0;
  for (let i = 0; i < length; i++) {
    if (bytes[i]! >= 0x80) run++;
    else {
      if (run >= MOST_VARINT_BYTES) return undefined;
      count++;
      run = 0;
    }
  }
  if (run > 0) return undefined;
  if (scalar === ScalarType.BOOL)
    return count === length ? bytes.map((octet) => (octet === 0 ? 0 : 1)) : undefined;
  if (scalar === ScalarType.INT64 || scalar === ScalarType.UINT64) {
    const words = new Uint32Array(2 * count);
    readLongVarints(bytes, 0, length, words, 0);
    return scalar === ScalarType.INT64 ? new BigInt64Array(words.buffer) : new BigUint64Array(words.buffer);
  }
  const words = new Uint32Array(count);
  readVarints(bytes, 0, length, words, 0);
  return scalar === ScalarType.INT32 ? new Int32Array(words.buffer) : words;
}

/** Memory that was never used is what takes longest of a copy: the system has to find it. */
async function copied(bytes: Uint8Array, slices: LoopSlices): Promise<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length);
  for (let from = 0; from < bytes.length; from += COPIED_OCTETS) {
    copy.set(bytes.subarray(from, from + COPIED_OCTETS), from);
    await slices.pause();
  }
  return copy.buffer;
}

/** Undefined where one takes more than an octet, which no writer does. */
async function readFlags(bytes: Uint8Array, slices: LoopSlices): Promise<Uint8Array | undefined> {
  const flags = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const octet = bytes[i]!;
    if (octet >= 0x80) return undefined;
    flags[i] = octet === 0 ? 0 : 1;
    if (i % PIECE_OCTETS === 0) await slices.pause();
  }
  return flags;
}

/** Varints to 32 bits each: the upper ones of longer ones are left out, as protobuf does. */
function readVarints(
  bytes: Uint8Array,
  from: number,
  end: number,
  words: Uint32Array,
  first: number,
): number {
  let at = first;
  let value = 0;
  let shift = 0;
  for (let i = from; i < end; i++) {
    const octet = bytes[i]!;
    if (shift < 32) value |= (octet & 0x7f) << shift;
    shift += 7;
    if (octet >= 0x80) continue;
    words[at++] = value;
    value = shift = 0;
  }
  return at;
}

/** Varints to 64 bits each, the lower half first. */
function readLongVarints(
  bytes: Uint8Array,
  from: number,
  end: number,
  words: Uint32Array,
  first: number,
): number {
  let at = first;
  let low = 0;
  let high = 0;
  let shift = 0;
  for (let i = from; i < end; i++) {
    const octet = bytes[i]!;
    const bits = octet & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high = bits >>> 4;
    } else if (shift < 64) high |= bits << (shift - 32);
    shift += 7;
    if (octet >= 0x80) continue;
    words[at++] = low;
    words[at++] = high;
    low = high = shift = 0;
  }
  return at;
}
