import type { JsonObject } from "@bufbuild/protobuf";
import type { PredictStreamRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { PackedContents, type PackedValues } from "../../tensor/packed-contents.ts";
import { RawTextTensor } from "../../tensor/raw-text-tensor.ts";

const ITEM_BYTES = 200;
/** An element of a decoded list, or a field of a struct, in V8's memory; the longer ones are counted by their length. */
const ELEMENT_BYTES = 8;
const FIELD_BYTES = 100;

/** About what a decoded item takes, for callers that do not know what it took on the wire. */
export function memoryBytes(item: PredictStreamRequest): number {
  const { request } = item;
  if (request === undefined) return ITEM_BYTES;
  let bytes = ITEM_BYTES + request.features.length * ELEMENT_BYTES;
  for (const tensor of request.inputs) bytes += tensorBytes(tensor);
  return bytes + sum(request.rows, rowBytes);
}

/** So many of a list are weighed, for all of it: an item of millions would hold the event loop. */
const WEIGHED = 4096;

function sum<T>(list: readonly T[], bytesOf: (one: T) => number): number {
  const step = Math.max(1, list.length / WEIGHED);
  let bytes = 0;
  let weighed = 0;
  for (let at = 0; at < list.length; at += step, weighed++) bytes += bytesOf(list[Math.floor(at)]!);
  return weighed === 0 ? 0 : Math.round((bytes * list.length) / weighed);
}

function rowBytes(row: JsonObject): number {
  let bytes = 0;
  for (const name of Object.keys(row)) {
    const value = row[name];
    bytes += FIELD_BYTES + name.length + (typeof value === "string" ? value.length : 0);
  }
  return bytes;
}

const textBytes = (text: string): number => FIELD_BYTES + text.length;
const octetBytes = (octets: Uint8Array): number => FIELD_BYTES + octets.byteLength;

function packedBytes(values: PackedValues): number {
  if (!Array.isArray(values)) return values.length * ELEMENT_BYTES;
  return sum(values as readonly string[], textBytes);
}

function tensorBytes(tensor: Tensor): number {
  if (tensor instanceof RawTextTensor) return packedBytes(tensor.texts);
  const { rawContents, contents } = tensor;
  if (contents === undefined) return rawContents.byteLength;
  if (contents instanceof PackedContents) return packedBytes(contents.values);
  const { boolContents, intContents, int64Contents, uintContents, uint64Contents } = contents;
  const { fp32Contents, fp64Contents, bytesContents } = contents;
  const integers = intContents.length + uintContents.length + int64Contents.length + uint64Contents.length;
  const elements = boolContents.length + integers + fp32Contents.length + fp64Contents.length;
  return rawContents.byteLength + elements * ELEMENT_BYTES + sum(bytesContents, octetBytes);
}
