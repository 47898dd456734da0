/**
 * A frame: how tensors lie in shared memory. A header of int32 words, then the elements, each tensor on a 64-byte boundary.
 * Header: tensor count, extra word count; for each tensor its name's index, datatype, rank, byte offset, byte length and axes;
 * then the extra words. Strings are the UTF-16 length of each element as int32, then all of them as one run of UTF-8.
 */
import { DATATYPE_NAMES, type Datatype } from "../tensor/datatype.ts";
import { elementCount } from "../tensor/tensor-data.ts";
import { lengthBytes } from "./strings.ts";

/** The number of a datatype in a header. */
const CODES: ReadonlyMap<Datatype, number> = new Map(DATATYPE_NAMES.map((name, code) => [name, code]));

const ALIGNMENT = 64;
const TENSOR_WORDS = 5;

/** Where one tensor lies. `byteLength` of a BYTES tensor counts the UTF-8 only, without the lengths before it. */
export interface FrameTensor {
  readonly nameIndex: number;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  byteOffset: number;
  byteLength: number;
}

/** A frame's header, read. */
export interface Frame {
  readonly tensors: FrameTensor[];
  /** In a frame of inputs: the indices of the outputs to fetch, none for all. */
  readonly extras: number[];
}

/** The next offset at which a tensor may lie. */
export function alignOffset(byteOffset: number): number {
  return Math.ceil(byteOffset / ALIGNMENT) * ALIGNMENT;
}

/** Where the first tensor may lie behind the header. */
export function headerBytes(
  tensors: readonly { readonly shape: readonly number[] }[],
  extraCount: number,
): number {
  let words = 2 + extraCount;
  for (const tensor of tensors) words += TENSOR_WORDS + tensor.shape.length;
  return alignOffset(words * 4);
}

/** Writes the header at the start of `memory`. */
export function writeHeader(
  memory: SharedArrayBuffer,
  tensors: readonly FrameTensor[],
  extras: readonly number[],
): void {
  const words = new Int32Array(memory);
  words[0] = tensors.length;
  words[1] = extras.length;
  let at = 2;
  for (const tensor of tensors) {
    words[at] = tensor.nameIndex;
    words[at + 1] = CODES.get(tensor.datatype)!;
    words[at + 2] = tensor.shape.length;
    words[at + 3] = tensor.byteOffset;
    words[at + 4] = tensor.byteLength;
    at += TENSOR_WORDS;
    for (const length of tensor.shape) words[at++] = length;
  }
  for (const extra of extras) words[at++] = extra;
}

/** Reads the header at the start of `memory`. */
export function readHeader(memory: SharedArrayBuffer): Frame {
  const words = new Int32Array(memory);
  const tensors: FrameTensor[] = [];
  let at = 2;
  for (let count = words[0]!; count > 0; count--) {
    const rank = words[at + 2]!;
    const shape: number[] = [];
    for (let axis = 0; axis < rank; axis++) shape.push(words[at + TENSOR_WORDS + axis]!);
    tensors.push({
      nameIndex: words[at]!,
      datatype: DATATYPE_NAMES[words[at + 1]!]!,
      shape,
      byteOffset: words[at + 3]!,
      byteLength: words[at + 4]!,
    });
    at += TENSOR_WORDS + rank;
  }
  const extras: number[] = [];
  for (let count = words[1]!; count > 0; count--) extras.push(words[at++]!);
  return { tensors, extras };
}

/** The bytes that the frame in `memory` takes, header and all. */
export function frameBytes(memory: SharedArrayBuffer): number {
  const { tensors, extras } = readHeader(memory);
  let end = headerBytes(tensors, extras.length);
  for (const { datatype, shape, byteOffset, byteLength } of tensors) {
    const lengths = datatype === "BYTES" ? lengthBytes(elementCount(shape)) : 0;
    end = Math.max(end, alignOffset(byteOffset + lengths + byteLength));
  }
  return end;
}
