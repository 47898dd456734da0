/** `POST /predict`, `/predict/{model}` and `/predict/{model}/{version}` as unary calls. */
import type { PredictRequest, PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { headerBlock } from "../../http2/stream.ts";
import type { ScoringService } from "../../service/scoring.ts";
import { type AnswerEncoder, isLargeAnswer } from "../answer/answer-encoder.ts";
import { retryAfterMs } from "../call/error-details.ts";
import type { Decoded, MessageDecoder } from "../decode/message-decoder.ts";
import { exampleOf } from "../json/example-line.ts";
import { FeaturesReader } from "../json/octets/features-reader.ts";
import { SNAKE_NAMES } from "../json/response-json.ts";
import { answerHead } from "../unary/answer-head.ts";
import { encodeJson, type PredictCodec } from "../unary/predict-codecs.ts";
import type { UnaryProtocol } from "../unary/unary-form.ts";
import { type PlainRoute, respondPlain } from "./plain-http.ts";
import { BareRow, PredictBody, predictRequest } from "./predict-body.ts";
import { predictError } from "./predict-error.ts";

const HEAD = headerBlock([["content-type", "application/json"]]);

/** The body is the request; errors have FastAPI's form, and end with an example of what the model takes. */
export function predictUnary(scoring: ScoringService): UnaryProtocol {
  return {
    name: "http",
    isFramed: false,
    prefixBytes: 0,
    fields: undefined,
    accepts: ({ headers }) => (headers.get("content-encoding") ?? "identity") === "identity",
    respond(call, bytes) {
      call.stream.respond(200, answerHead(call, HEAD, [["content-length", String(bytes.length)]]));
      call.stream.write(bytes, true);
    },
    fail({ stream, edgeCall, corsOrigins, params, request }, thrown) {
      const error = edgeCall.asAssayError(thrown);
      const message = request?.message as PredictRequest | undefined;
      const name = params.model ?? message?.modelName ?? error.modelName ?? "";
      const version = params.version ?? message?.modelVersion ?? "";
      const response = predictError(error, {
        example: () => exampleOf(scoring, name, version, edgeCall.call.caller, "predict"),
        isBareRow: message?.rows instanceof BareRow,
      });
      respondPlain(stream, response, edgeCall, corsOrigins, retryAfterMs(error));
    },
  };
}

/** The messages of `/predict`. */
export function predictJson(
  scoring: ScoringService,
  decoder: MessageDecoder,
  encoder: AnswerEncoder,
): PredictCodec {
  const features = new FeaturesReader();
  return {
    decode(bytes, memory, params, { caller }): PredictRequest | Promise<PredictRequest> {
      if (bytes.length === 0) return predictRequest(undefined, params);
      const plain = features.request(bytes, memory);
      if (plain !== undefined) return predictRequest(plain, params);
      const body = new PredictBody(scoring, params, caller, bytes.length);
      const decoded = decoder.decode(body, bytes, memory);
      const asRequest = ({ message }: Decoded) => predictRequest(message as PredictRequest, params);
      return decoded instanceof Promise ? decoded.then(asRequest) : asRequest(decoded);
    },
    encode: (response: PredictResponse, _room, memory) =>
      isLargeAnswer(response)
        ? encoder.encode(response, "plain", memory)
        : encodeJson(response, SNAKE_NAMES, "\n"),
  };
}

const PATTERNS = ["/predict", "/predict/{model}", "/predict/{model}/{version}"];

/** Where its body is compressed: whatever the lean path leaves. `/predict` is for the server's default model, or its only one. */
export function predictRoutes(scoring: ScoringService, codec: PredictCodec): PlainRoute[] {
  return PATTERNS.map((pattern) => ({
    pattern,
    methods: ["POST"],
    async handle({ params, bytes, call, memory }) {
      const request = await codec.decode(bytes, memory, params, call);
      const body = await codec.encode(await scoring.predict(request, call), 0, memory);
      return { status: 200, body };
    },
    errorResponse(error, { params }, { caller }) {
      const name = params.model ?? error.modelName ?? "";
      const example = () => exampleOf(scoring, name, params.version ?? "", caller, "predict");
      return predictError(error, { example });
    },
  }));
}
