import { create } from "@bufbuild/protobuf";
import { type TensorContents, TensorContentsSchema } from "../../gen/assay/v1/tensor_pb.ts";
import type { NumericArray } from "./datatype.ts";
import type { TensorData } from "./tensor-data.ts";

const utf8 = new TextEncoder();

/** The elements as a list of the field that fits the datatype. FP16 has none: use `rawContents`. */
export function typedContents(tensor: TensorData): TensorContents {
  const { data } = tensor;
  switch (tensor.datatype) {
    case "BYTES":
      return create(TensorContentsSchema, {
        bytesContents: (data as readonly string[]).map((text) => utf8.encode(text)),
      });
    case "BOOL":
      return create(TensorContentsSchema, {
        boolContents: listOf(data as Uint8Array).map((value) => value !== 0),
      });
    case "INT64":
      return create(TensorContentsSchema, { int64Contents: listOf(data as BigInt64Array) });
    case "UINT64":
      return create(TensorContentsSchema, { uint64Contents: listOf(data as BigUint64Array) });
    case "FP32":
      return create(TensorContentsSchema, { fp32Contents: listOf(data as Float32Array) });
    case "FP64":
      return create(TensorContentsSchema, { fp64Contents: listOf(data as Float64Array) });
    case "INT8":
    case "INT16":
    case "INT32":
      return create(TensorContentsSchema, { intContents: listOf(data as Int32Array) });
    default:
      return create(TensorContentsSchema, { uintContents: listOf(data as Uint32Array) });
  }
}

/** A loop: `Array.from` goes by the iterator of the array, which takes five times as long and holds the loop where outputs are large. */
function listOf<T extends number | bigint>(data: ArrayLike<T>): T[] {
  const list = new Array<T>(data.length);
  for (let i = 0; i < data.length; i++) list[i] = data[i]!;
  return list;
}

/** The elements as little-endian bytes; BYTES with a 4-byte length before each value. */
export function rawContents(tensor: TensorData): Uint8Array<ArrayBuffer> {
  if (tensor.datatype !== "BYTES") {
    const data = tensor.data as NumericArray;
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  }
  const encoded = (tensor.data as readonly string[]).map((text) => utf8.encode(text));
  const bytes = new Uint8Array(encoded.reduce((sum, value) => sum + 4 + value.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const value of encoded) {
    view.setUint32(at, value.length, true);
    bytes.set(value, at + 4);
    at += 4 + value.length;
  }
  return bytes;
}
