import { toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type PredictResponse,
  PredictStreamResponseSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { ItemResult } from "../../service/scoring.ts";
import { itemResponse } from "../connect/item-response.ts";
import { framed, PREFIX_BYTES, writePrefix } from "./grpc-frames.ts";

/** The answer to one item as a gRPC message with its prefix, uncompressed. */
export function encodeItem(result: ItemResult): Uint8Array {
  if ("response" in result && isPlain(result.response)) return encodeScores(result.itemId, result.response);
  try {
    return framed(0, toBinary(PredictStreamResponseSchema, itemResponse(result)));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new ConnectError(`serialize binary: ${what}`, Code.Internal);
  }
}

/** Scores and labels alone, as nearly all answers are; a caller's own bytes are left to protobuf-es. */
function isPlain({ outputs, requestId, $unknown }: PredictResponse): boolean {
  return outputs.length === 0 && requestId === "" && $unknown === undefined;
}

// Fields of PredictStreamResponse and PredictResponse: number * 8 + wire type.
const ITEM_ID = 1 * 8;
const RESPONSE = 2 * 8 + 2;
const MODEL_NAME = 1 * 8 + 2;
const MODEL_VERSION = 2 * 8 + 2;
const SCORES = 4 * 8 + 2;
const LABELS = 5 * 8 + 2;
const DOUBLE_BYTES = 8;

/** By hand, because it costs a sixth of what protobuf-es takes; a property test holds the two together. */
function encodeScores(itemId: bigint, response: PredictResponse): Uint8Array {
  const { modelName, modelVersion, scores, labels } = response;
  const nameBytes = Buffer.byteLength(modelName);
  const versionBytes = Buffer.byteLength(modelVersion);
  const scoreBytes = scores.length * DOUBLE_BYTES;
  const labelBytes = labels.map((label) => Buffer.byteLength(label));
  let length = fieldBytes(nameBytes) + fieldBytes(versionBytes) + fieldBytes(scoreBytes);
  // An empty label is still a label.
  for (const one of labelBytes) length += 1 + varintBytes(one) + one;
  const idBytes = itemId === 0n ? 0 : 1 + varint64Bytes(itemId);
  const messageBytes = idBytes + 1 + varintBytes(length) + length;
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + messageBytes);
  writePrefix(bytes, 0, messageBytes);
  let at = PREFIX_BYTES;
  if (idBytes > 0) {
    bytes[at++] = ITEM_ID;
    at = writeVarint64(bytes, at, itemId);
  }
  bytes[at++] = RESPONSE;
  at = writeVarint(bytes, at, length);
  if (nameBytes > 0) at = writeText(bytes, at, MODEL_NAME, modelName, nameBytes);
  if (versionBytes > 0) at = writeText(bytes, at, MODEL_VERSION, modelVersion, versionBytes);
  if (scoreBytes > 0) {
    bytes[at++] = SCORES;
    at = writeVarint(bytes, at, scoreBytes);
    at = writeDoubles(bytes, at, scores);
  }
  for (const [i, label] of labels.entries()) at = writeText(bytes, at, LABELS, label, labelBytes[i]!);
  return bytes;
}

const SCRATCH_DOUBLES = 1024;
/** Doubles are written here, aligned, and copied: no memory is made for an answer but its own. */
const scratch = new Float64Array(SCRATCH_DOUBLES);
const scratchBytes = Buffer.from(scratch.buffer);

function writeDoubles(bytes: Buffer, from: number, values: readonly number[]): number {
  let at = from;
  for (let first = 0; first < values.length; first += SCRATCH_DOUBLES) {
    const count = Math.min(SCRATCH_DOUBLES, values.length - first);
    for (let i = 0; i < count; i++) scratch[i] = values[first + i]!;
    at += scratchBytes.copy(bytes, at, 0, count * DOUBLE_BYTES);
  }
  return at;
}

function fieldBytes(byteCount: number): number {
  return byteCount === 0 ? 0 : 1 + varintBytes(byteCount) + byteCount;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = value; left > 0x7f; left = Math.floor(left / 128)) bytes++;
  return bytes;
}

function writeVarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes[at++] = (left & 0x7f) | 0x80;
  bytes[at++] = left;
  return at;
}

/** Below 2^53 a number does, which costs a tenth. */
function varint64Bytes(value: bigint): number {
  if (value <= Number.MAX_SAFE_INTEGER) return varintBytes(Number(value));
  let bytes = 1;
  for (let left = value; left > 0x7fn; left >>= 7n) bytes++;
  return bytes;
}

function writeVarint64(bytes: Buffer, from: number, value: bigint): number {
  if (value <= Number.MAX_SAFE_INTEGER) return writeVarint(bytes, from, Number(value));
  let at = from;
  let left = value;
  for (; left > 0x7fn; left >>= 7n) bytes[at++] = Number(left & 0x7fn) | 0x80;
  bytes[at++] = Number(left);
  return at;
}

function writeText(bytes: Buffer, from: number, tag: number, text: string, byteCount: number): number {
  bytes[from] = tag;
  const at = writeVarint(bytes, from + 1, byteCount);
  if (byteCount === text.length && byteCount < 32) {
    for (let i = 0; i < byteCount; i++) bytes[at + i] = text.charCodeAt(i);
  } else bytes.write(text, at, byteCount, "utf8");
  return at + byteCount;
}
