import { ScoringService as ScoringServiceDesc } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { ScoringService } from "../../service/scoring.ts";
import type { RequestReader } from "../../wire/request-reader.ts";
import type { AnswerEncoder } from "../answer/answer-encoder.ts";
import { connectUnary, type Explain } from "../connect/unary.ts";
import type { MessageDecoder } from "../decode/message-decoder.ts";
import { grpcUnary } from "../grpc/unary.ts";
import { grpcWebUnary } from "../grpc/web-unary.ts";
import { exampleOf, isWrongForm, withExample } from "../json/example-line.ts";
import { predictUnary } from "../plain/predict-unary.ts";
import { binaryPredict, jsonPredict, type PredictCodec } from "./predict-codecs.ts";
import type { UnaryForm, UnaryProtocol } from "./unary-form.ts";

/** The path of `Predict`. */
export const PREDICT_PATH = `/${ScoringServiceDesc.typeName}/${ScoringServiceDesc.method.predict.name}`;

/** `Predict` in every protocol that has a plain form. */
export function predictForms(
  scoring: ScoringService,
  decoder: MessageDecoder,
  requests: RequestReader,
  encoder: AnswerEncoder,
): ReadonlyMap<string, UnaryForm> {
  const binary = binaryPredict(decoder, requests, encoder);
  const grpc = predictForm(grpcUnary, binary, scoring);
  const grpcWeb = predictForm(grpcWebUnary, binary, scoring);
  const jsonProtocol = connectUnary("application/json", explainedBy(scoring));
  const json = predictForm(jsonProtocol, jsonPredict(decoder, encoder), scoring);
  return new Map([
    ["application/grpc", grpc],
    ["application/grpc+proto", grpc],
    ["application/grpc-web", grpcWeb],
    ["application/grpc-web+proto", grpcWeb],
    ["application/json", json],
    ["application/json; charset=utf-8", json],
    ["application/proto", predictForm(connectUnary("application/proto"), binary, scoring)],
  ]);
}

/**
 * JSON that is no request is answered with one that its model takes. What is wrong with the values of a request is told in the same words
 * by every protocol.
 */
function explainedBy(scoring: ScoringService): Explain {
  return (message, thrown, { request, edgeCall }) => {
    const isDecoded = request !== undefined;
    if (isDecoded || !(thrown instanceof AssayError) || !isWrongForm(thrown)) return message;
    const { caller } = edgeCall.call;
    return withExample(message, exampleOf(scoring, thrown.modelName ?? "", "", caller, "connect"));
  };
}

/** `POST /predict`. */
export function plainPredictForm(scoring: ScoringService, codec: PredictCodec): UnaryForm {
  return predictForm(predictUnary(scoring), codec, scoring);
}

/** The codec belongs to the call that it decodes for, which no type can say of a map of forms. */
function predictForm(protocol: UnaryProtocol, codec: PredictCodec, scoring: ScoringService): UnaryForm {
  const form = { protocol, codec, run: scoring.predict.bind(scoring) };
  return form as unknown as UnaryForm;
}
