import { toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type PredictResponse,
  PredictStreamResponseSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { ItemResult } from "../../service/scoring.ts";
import { plainTag } from "../../wire/plain-tag.ts";
import { isPlainResponse, MeasuredResponse, varintBytes, writeVarint } from "../../wire/response-writer.ts";
import { itemResponse } from "../connect/item-response.ts";
import { framed, PREFIX_BYTES, writePrefix } from "./grpc-frames.ts";

/** The answer to one item as a gRPC message with its prefix, uncompressed. */
export function encodeItem(result: ItemResult): Uint8Array {
  if ("response" in result && isPlainResponse(result.response)) {
    return encodeScores(result.itemId, result.response);
  }
  try {
    return framed(0, toBinary(PredictStreamResponseSchema, itemResponse(result)));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new ConnectError(`serialize binary: ${what}`, Code.Internal);
  }
}

const ITEM_ID = plainTag(PredictStreamResponseSchema, "itemId");
const RESPONSE = plainTag(PredictStreamResponseSchema, "response");

function encodeScores(itemId: bigint, response: PredictResponse): Uint8Array {
  const measured = new MeasuredResponse(response);
  const length = measured.byteCount;
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
  measured.write(bytes, writeVarint(bytes, at, length));
  return bytes;
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
