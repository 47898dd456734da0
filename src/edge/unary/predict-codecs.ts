import { toBinary, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type PredictRequest,
  PredictRequestSchema,
  type PredictResponse,
  PredictResponseSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { LARGE_OCTETS } from "../../timing/loop-turns.ts";
import type { RequestReader } from "../../wire/request-reader.ts";
import { isPlainResponse, MeasuredResponse } from "../../wire/response-writer.ts";
import { WireWriter } from "../../wire/wire-writer.ts";
import { type AnswerEncoder, isLargeAnswer } from "../answer/answer-encoder.ts";
import type { Decoded, MessageDecoder, MessageForm } from "../decode/message-decoder.ts";
import { FeaturesReader } from "../json/octets/features-reader.ts";
import { CAMEL_NAMES, type MemberNames, responseJson } from "../json/response-json.ts";
import type { CallMemory } from "../memory/call-memory.ts";
import type { MessageCodec } from "./unary-form.ts";

/** The messages of `Predict`, whose small and plain ones are read and written by hand. */
export type PredictCodec = MessageCodec<PredictRequest, PredictResponse>;

const BINARY: MessageForm = { desc: PredictRequestSchema, isJson: false };
const JSON_FORM: MessageForm = { desc: PredictRequestSchema, isJson: true };

/** Protobuf's binary form. */
export function binaryPredict(
  decoder: MessageDecoder,
  requests: RequestReader,
  encoder: AnswerEncoder,
): PredictCodec {
  return {
    decode(bytes, memory) {
      const plain = requests.request(bytes);
      if (plain === undefined) return read(decoder, BINARY, bytes, memory);
      const refused = memory.take(requests.heapBytes);
      if (refused !== undefined) throw refused;
      return bytes.length > LARGE_OCTETS ? decoder.ready(plain, bytes, memory).then(messageOf) : plain;
    },
    encode: (response, room, memory) =>
      isLargeAnswer(response)
        ? encoder.encode(response, "binary", memory, room)
        : encodeBinary(response, room),
  };
}

/** Protobuf's JSON. */
export function jsonPredict(decoder: MessageDecoder, encoder: AnswerEncoder): PredictCodec {
  const features = new FeaturesReader();
  return {
    decode: (bytes, memory) => features.request(bytes, memory) ?? read(decoder, JSON_FORM, bytes, memory),
    encode: (response, _room, memory) =>
      isLargeAnswer(response)
        ? encoder.encode(response, "json", memory)
        : encodeJson(response, CAMEL_NAMES, ""),
  };
}

function read(
  decoder: MessageDecoder,
  form: MessageForm,
  bytes: Uint8Array,
  memory: CallMemory,
): PredictRequest | Promise<PredictRequest> {
  const decoded = decoder.decode(form, bytes, memory);
  return decoded instanceof Promise ? decoded.then(messageOf) : messageOf(decoded);
}

function messageOf(decoded: Decoded): PredictRequest {
  return decoded.message as PredictRequest;
}

function encodeBinary(response: PredictResponse, room: number): Uint8Array {
  if (isPlainResponse(response)) {
    const measured = new MeasuredResponse(response);
    const bytes = Buffer.allocUnsafe(room + measured.byteCount);
    measured.write(new WireWriter(bytes, room));
    return bytes;
  }
  const message = serialized("binary", () => toBinary(PredictResponseSchema, response));
  const bytes = Buffer.allocUnsafe(room + message.length);
  bytes.set(message, room);
  return bytes;
}

/** A response as JSON, with `end` behind it. */
export function encodeJson(response: PredictResponse, names: MemberNames, end: string): Uint8Array {
  if (response.outputs.length === 0 && response.featureReport === undefined)
    return Buffer.from(responseJson(response, names) + end);
  const useProtoFieldName = names !== CAMEL_NAMES;
  const json = serialized("JSON", () => toJson(PredictResponseSchema, response, { useProtoFieldName }));
  return Buffer.from(JSON.stringify(json) + end);
}

/** What cannot be written is the server's fault. */
function serialized<T>(form: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new ConnectError(form === "JSON" ? what : `serialize ${form}: ${what}`, Code.Internal);
  }
}
