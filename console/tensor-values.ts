/** Values of tensors, for the eye. */
import type { Tensor } from "../gen/assay/v1/tensor_pb.ts";

type Reader = (view: DataView, at: number) => number;

/** Octets a value, and how one is read. */
const READERS: Readonly<Record<string, readonly [size: number, read: Reader]>> = {
  BOOL: [1, (view, at) => view.getUint8(at)],
  UINT8: [1, (view, at) => view.getUint8(at)],
  INT8: [1, (view, at) => view.getInt8(at)],
  UINT16: [2, (view, at) => view.getUint16(at, true)],
  INT16: [2, (view, at) => view.getInt16(at, true)],
  UINT32: [4, (view, at) => view.getUint32(at, true)],
  INT32: [4, (view, at) => view.getInt32(at, true)],
  UINT64: [8, (view, at) => Number(view.getBigUint64(at, true))],
  INT64: [8, (view, at) => Number(view.getBigInt64(at, true))],
  FP32: [4, (view, at) => view.getFloat32(at, true)],
  FP64: [8, (view, at) => view.getFloat64(at, true)],
  BF16: [2, (view, at) => bfloat(view.getUint16(at, true))],
};

/** The numbers of a tensor; none for texts and for half floats, which browsers read in different ways. */
export function numbersOf(tensor: Tensor | undefined): number[] {
  if (tensor === undefined) return [];
  const { contents, rawContents } = tensor;
  if (rawContents.length === 0 && contents !== undefined) {
    const { $typeName, $unknown, bytesContents, ...lists } = contents;
    return Object.values(lists).flatMap((list) => Array.from(list as Iterable<unknown>, Number));
  }
  const [size, read] = READERS[tensor.datatype] ?? [0, () => 0];
  if (size === 0) return [];
  const view = new DataView(rawContents.buffer, rawContents.byteOffset, rawContents.byteLength);
  return Array.from({ length: Math.floor(view.byteLength / size) }, (_, index) => read(view, index * size));
}

/** The texts of a tensor of BYTES. */
export function textsOf({ contents, rawContents }: Tensor): string[] {
  const decoder = new TextDecoder();
  if (rawContents.length === 0)
    return (contents?.bytesContents ?? []).map((octets) => decoder.decode(octets));
  const view = new DataView(rawContents.buffer, rawContents.byteOffset, rawContents.byteLength);
  const texts: string[] = [];
  for (let at = 0; at + 4 <= view.byteLength; ) {
    const length = view.getUint32(at, true);
    texts.push(decoder.decode(rawContents.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return texts;
}

/** A float of which only the upper half is kept. */
function bfloat(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}
