import type { PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { GRPCInferenceService } from "../../../gen/inference/grpc_service_pb.ts";
import type { Call } from "../../service/call.ts";
import type { ScoringService } from "../../service/scoring.ts";
import { LARGE_OCTETS } from "../../timing/loop-turns.ts";
import { WireWriter } from "../../wire/wire-writer.ts";
import type { AnswerEncoder } from "../answer/answer-encoder.ts";
import { OctetParts } from "../answer/octet-parts.ts";
import { connectUnary } from "../connect/unary.ts";
import type { Decoded, MessageDecoder } from "../decode/message-decoder.ts";
import { grpcUnary } from "../grpc/unary.ts";
import { grpcWebUnary } from "../grpc/web-unary.ts";
import type { MessageCodec, UnaryForm, UnaryProtocol } from "../unary/unary-form.ts";
import { isLargeAnswer, writeBinary } from "./answer/answer-pieces.ts";
import { withClasses } from "./answer/classification.ts";
import { type InferAnswer, MeasuredAnswer } from "./answer/infer-answer.ts";
import type { InferRequest } from "./infer-request.ts";
import { InferRequestReader } from "./infer-request-reader.ts";
import { INFER_CALL } from "./message-forms.ts";
import { inTritonsWords } from "./triton-texts.ts";

/** The path of `ModelInfer`. */
export const MODEL_INFER_PATH = `/${GRPCInferenceService.typeName}/${GRPCInferenceService.method.modelInfer.name}`;

/** `ModelInfer` in every protocol that has a plain form with binary messages. */
export function inferForms(
  parts: InferParts,
  decoder: MessageDecoder,
  encoder: AnswerEncoder,
): ReadonlyMap<string, UnaryForm> {
  const codec = inferCodec(decoder, encoder);
  const grpc = inferForm(grpcUnary, codec, parts);
  const grpcWeb = inferForm(grpcWebUnary, codec, parts);
  return new Map([
    ["application/grpc", grpc],
    ["application/grpc+proto", grpc],
    ["application/grpc-web", grpcWeb],
    ["application/grpc-web+proto", grpcWeb],
    ["application/proto", inferForm(connectUnary("application/proto"), codec, parts)],
  ]);
}

/** What inference calls stand on. */
export interface InferParts {
  readonly scoring: ScoringService;
}

/** Scores one request; rejects in the words that its callers know. */
export async function infer(
  { scoring }: InferParts,
  request: InferRequest,
  call: Call,
): Promise<InferAnswer> {
  try {
    return answerTo(request, await scoring.predict(request, call));
  } catch (error) {
    throw inTritonsWords(error, request, placeInRequest);
  }
}

/** The answer, with classes in the places of the values for which they were asked. Throws INVALID_REQUEST. */
export function answerTo(request: InferRequest, response: PredictResponse): InferAnswer {
  const { topClasses, scoredBy } = request;
  if (topClasses === undefined) return { request, response };
  return { request, response: { ...response, outputs: withClasses(response, topClasses, scoredBy!) } };
}

/** The octets of an answer that is not large, behind `room` free ones. */
export function encodeAnswer(answer: InferAnswer, room: number): Uint8Array {
  const measured = new MeasuredAnswer(answer);
  const bytes = Buffer.allocUnsafe(room + measured.byteCount);
  measured.write(new WireWriter(bytes, room));
  return bytes;
}

/** Where a field of the request that is scored stood in the one that came. */
export function placeInRequest(field: string): string {
  return field
    .replace(/^inputs\[(\d+)\]\.raw_contents/, "raw_input_contents[$1]")
    .replace(/^output_names(\[\d+\])?/, (_, index: string | undefined) =>
      index === undefined ? "outputs" : `outputs${index}.name`,
    )
    .replace(/^request_id/, "id");
}

function inferCodec(
  decoder: MessageDecoder,
  encoder: AnswerEncoder,
): MessageCodec<InferRequest, InferAnswer> {
  const reader = new InferRequestReader();
  return {
    decode(bytes, memory) {
      const plain = reader.request(bytes);
      if (plain === undefined) {
        const decoded = decoder.decode(INFER_CALL, bytes, memory);
        return decoded instanceof Promise ? decoded.then(requestOf) : requestOf(decoded);
      }
      const refused = memory.take(reader.heapBytes);
      if (refused !== undefined) throw refused;
      return bytes.length > LARGE_OCTETS ? decoder.ready(plain, bytes, memory).then(requestOf) : plain;
    },
    encode(answer, room, memory) {
      if (!isLargeAnswer(answer.response)) return encodeAnswer(answer, room);
      const parts = new OctetParts();
      return encoder.write(writeBinary(answer, parts), parts, memory, room);
    },
  };
}

function requestOf({ message }: Decoded): InferRequest {
  return message as InferRequest;
}

/** The codec belongs to the call that it decodes for, which no type can say of a map of forms. */
function inferForm(
  protocol: UnaryProtocol,
  codec: MessageCodec<InferRequest, InferAnswer>,
  parts: InferParts,
): UnaryForm {
  const form: UnaryForm<InferRequest, InferAnswer> = {
    protocol,
    codec,
    run: (request, call) => infer(parts, request, call),
  };
  return form as unknown as UnaryForm;
}
