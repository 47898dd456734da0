/** `POST /predict` and `/predict/{model}` as unary calls. */
import type { PredictRequest, PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { headerBlock } from "../../http2/stream.ts";
import { type AnswerEncoder, isLargeAnswer } from "../answer/answer-encoder.ts";
import { retryAfterMs } from "../call/error-details.ts";
import type { Decoded, MessageDecoder } from "../decode/message-decoder.ts";
import { SNAKE_NAMES } from "../json/response-json.ts";
import { answerHead } from "../unary/answer-head.ts";
import { encodeJson, type PredictCodec } from "../unary/predict-codecs.ts";
import type { UnaryProtocol } from "../unary/unary-form.ts";
import { respondPlain } from "./plain-http.ts";
import { PREDICT_FORM, predictRequest } from "./predict-request.ts";
import { predictError } from "./predict-routes.ts";

const HEAD = headerBlock([["content-type", "application/json"]]);

/** The body is the request; errors have FastAPI's form. */
export const predictUnary: UnaryProtocol = {
  name: "http",
  isFramed: false,
  prefixBytes: 0,
  fields: undefined,
  accepts: ({ headers }) => (headers.get("content-encoding") ?? "identity") === "identity",
  respond(call, bytes) {
    call.stream.respond(200, answerHead(call, HEAD, [["content-length", String(bytes.length)]]));
    call.stream.write(bytes, true);
  },
  fail({ stream, edgeCall, corsOrigins }, thrown) {
    const error = edgeCall.asAssayError(thrown);
    respondPlain(stream, predictError(error), edgeCall.id, corsOrigins, retryAfterMs(error));
  },
};

/** The messages of `/predict`. */
export function predictJson(decoder: MessageDecoder, encoder: AnswerEncoder): PredictCodec {
  return {
    decode(bytes, memory, { model: modelName = "" }): PredictRequest | Promise<PredictRequest> {
      if (bytes.length === 0) return predictRequest(undefined, modelName);
      const decoded = decoder.decode(PREDICT_FORM, bytes, memory);
      const asRequest = (one: Decoded) => predictRequest(one, modelName);
      return decoded instanceof Promise ? decoded.then(asRequest) : predictRequest(decoded, modelName);
    },
    encode: (response: PredictResponse, _room, memory) =>
      isLargeAnswer(response)
        ? encoder.encode(response, "plain", memory)
        : encodeJson(response, SNAKE_NAMES, "\n"),
  };
}
