import { toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type PredictResponse,
  PredictStreamResponseSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { messageOf } from "../../errors.ts";
import type { ItemResult } from "../../service/scoring.ts";
import { COMPRESSED_FLAG, framed, PREFIX_BYTES, writePrefix } from "../../wire/grpc-frame.ts";
import { plainTag } from "../../wire/plain-tag.ts";
import { isPlainResponse, MeasuredResponse } from "../../wire/response-writer.ts";
import { fieldBytes, varint64Bytes, WireWriter } from "../../wire/wire-writer.ts";
import { type AnswerEncoder, isLargeAnswer } from "../answer/answer-encoder.ts";
import type { MessageCompression } from "../call/compression.ts";
import { itemResponse } from "../connect/item-response.ts";
import type { CallMemory } from "../memory/call-memory.ts";

const COMPRESS_MIN_BYTES = 1024;

/**
 * The answer to one item as a gRPC message with its prefix: at once, or in slices where it is large, and compressed where that was
 * negotiated. Rejects where the call that `memory` is of fails first.
 */
export function answerFrame(
  result: ItemResult,
  compression: Pick<MessageCompression, "compress"> | null,
  encoder: AnswerEncoder,
  memory: CallMemory,
): Uint8Array | Promise<Uint8Array> {
  if ("response" in result && isLargeAnswer(result.response)) {
    const { itemId, response } = result;
    return encoder.encodeItem(itemId, response, "binary", memory, PREFIX_BYTES).then((bytes) => {
      writePrefix(bytes, 0, bytes.length - PREFIX_BYTES);
      return compressedFrame(bytes, compression);
    });
  }
  return compressedFrame(encodeItem(result), compression);
}

/** An uncompressed frame, or its message in one that is compressed, where that was negotiated and it is long enough. */
export function compressedFrame(
  frame: Uint8Array,
  compression: Pick<MessageCompression, "compress"> | null,
): Uint8Array | Promise<Uint8Array> {
  if (compression === null || frame.length - PREFIX_BYTES < COMPRESS_MIN_BYTES) return frame;
  return compression
    .compress(frame.subarray(PREFIX_BYTES))
    .then((compressed) => framed(COMPRESSED_FLAG, compressed));
}

/** The answer to one item as a gRPC message with its prefix, uncompressed. */
export function encodeItem(result: ItemResult): Uint8Array {
  if ("response" in result && isPlainResponse(result.response)) {
    return encodeScores(result.itemId, result.response);
  }
  try {
    return framed(0, toBinary(PredictStreamResponseSchema, itemResponse(result)));
  } catch (error) {
    const what = messageOf(error);
    throw new ConnectError(`serialize binary: ${what}`, Code.Internal);
  }
}

const ITEM_ID = plainTag(PredictStreamResponseSchema, "itemId");
const RESPONSE = plainTag(PredictStreamResponseSchema, "response");

function encodeScores(itemId: bigint, response: PredictResponse): Uint8Array {
  const measured = new MeasuredResponse(response);
  const { byteCount } = measured;
  const messageBytes = (itemId === 0n ? 0 : 1 + varint64Bytes(itemId)) + fieldBytes(byteCount);
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + messageBytes);
  const writer = new WireWriter(bytes);
  writer.prefix(messageBytes);
  if (itemId !== 0n) {
    writer.tag(ITEM_ID);
    writer.varint64(itemId);
  }
  writer.tagged(RESPONSE, byteCount);
  measured.write(writer);
  return bytes;
}
