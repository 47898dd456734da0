import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import {
  type PredictRequest,
  PredictRequestSchema,
  type PredictResponse,
  PredictResponseSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../errors.ts";
import { openConnection } from "../scorer/remote/connection.ts";
import { callUnary } from "../scorer/remote/grpc-call.ts";
import { parseServerUrl } from "../scorer/remote/server-url.ts";
import { askModel } from "../scorer/remote/stream-connection.ts";
import { wantedModel } from "../scorer/wanted-model.ts";

/** A model's example request, and what a server answered. */
export interface ExampleCall {
  /** `http://localhost:8080` */
  readonly origin: string;
  readonly request: PredictRequest;
  readonly answer: PredictResponse;
  readonly tookMs: number;
}

const PREDICT = "/assay.v1.ScoringService/Predict";
const TIMEOUT_MS = 10_000;
const KEEPALIVE_MS = 20_000;

/**
 * Calls a server once, over gRPC, with the example request of the model that is named as NAME, NAME:VERSION or NAME:LABEL; empty: the
 * default one. `key`: to call with, or undefined. Rejects with CONFIG_INVALID for a URL that is none, SERVER_UNREACHABLE, or what the server answers.
 */
export async function callExample(
  server: string,
  named: string,
  key: string | undefined,
  signal: AbortSignal,
): Promise<ExampleCall> {
  const url = parseServerUrl(server);
  const { name: modelName, version: modelVersion = "" } = wantedModel(named);
  const { origin } = url;
  const connection = await openConnection(
    { url, key, connectTimeoutMs: TIMEOUT_MS, keepaliveMs: KEEPALIVE_MS },
    signal,
  );
  try {
    const { session } = connection;
    const { exampleRequest: request, ...model } = await askModel(session, {
      url,
      key,
      modelName,
      modelVersion,
    });
    if (request === undefined)
      throw new AssayError(Reason.MODEL_INVALID, `${origin} has no example row for ${model.modelName}`);
    if (modelVersion !== "") request.modelVersion = modelVersion;
    const beganMs = performance.now();
    const octets = toBinary(PredictRequestSchema, request);
    const answer = await callUnary(session, origin, PREDICT, octets, TIMEOUT_MS, key);
    const tookMs = performance.now() - beganMs;
    return { origin, request, answer: fromBinary(PredictResponseSchema, answer), tookMs };
  } catch (error) {
    const isLost = error instanceof AssayError && error.reason === Reason.SERVER_UNREACHABLE;
    throw isLost ? (connection.failure ?? error) : error;
  } finally {
    connection.destroy();
  }
}
