import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import {
  GetModelRequestSchema,
  GetModelResponseSchema,
  type Model,
  ModelState,
} from "../../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../../errors.ts";
import { type Answer, AnswerDecoder } from "../../wire/answer-decoder.ts";
import { type Connection, type ConnectionOptions, openConnection } from "./connection.ts";
import { type CallHandlers, callUnary, startCall } from "./grpc-call.ts";

const GET_MODEL = "/assay.v1.ModelService/GetModel";
const PREDICT_STREAM = "/assay.v1.ScoringService/PredictStream";
const MODEL_TIMEOUT_MS = 10_000;
const NOT_READY_RETRY_MS = 200;
// Two items of the usual size: one in the socket, one behind it, so that the socket never waits for this process.
const MOST_UNSENT_BYTES = 524_288;

/** Which model, and where. */
export interface StreamTarget extends ConnectionOptions {
  readonly modelName: string;
  /** Empty: the highest version that is ready. */
  readonly modelVersion: string;
}

/** Callbacks of a stream. */
export interface StreamHandlers {
  onAnswer(answer: Answer): void;
  /** The socket took what was sent: there is room for more. */
  onRoom(): void;
  /** Once, after the last answer. Undefined: the server ended the stream as it was asked to. */
  onEnd(error: AssayError | undefined): void;
}

/**
 * Connects, asks for the model and opens the stream. `check` sees the model before any row is sent and throws to refuse it.
 * Rejects with an AssayError: MODEL_NOT_READY with a delay while the model loads, MODEL_INVALID where it failed to.
 */
export async function openStreamConnection(
  target: StreamTarget,
  check: (model: Model) => void,
  handlers: StreamHandlers,
  signal: AbortSignal,
): Promise<StreamConnection> {
  const connection = await openConnection(target, signal);
  const abort = () => connection.destroy();
  signal.addEventListener("abort", abort, { once: true });
  try {
    check(await askModel(connection.session, target));
    if (signal.aborted) throw new AssayError(Reason.CANCELLED, "the scorer was closed");
    if (connection.isGoingAway) throw connection.failure ?? goneAway(target.url.origin);
  } catch (error) {
    connection.destroy();
    await connection.closed;
    const isLost = error instanceof AssayError && error.reason === Reason.SERVER_UNREACHABLE;
    throw isLost ? (connection.failure ?? error) : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return new StreamConnection(connection, target, handlers);
}

/** One connection with one PredictStream on it, made by `openStreamConnection`; whoever opened it finishes or destroys it. */
export class StreamConnection {
  private readonly connection: Connection;
  private readonly stream: ClientHttp2Stream;
  private readonly handlers: StreamHandlers;
  private isEnding = false;
  private hasEnded = false;

  constructor(connection: Connection, { url, key }: StreamTarget, handlers: StreamHandlers) {
    this.connection = connection;
    this.handlers = handlers;
    const decoder = new AnswerDecoder();
    const callHandlers: CallHandlers = {
      onMessage: (message) => handlers.onAnswer(decoder.decode(message)),
      onEnd: (error) => this.ended(error),
    };
    this.stream = startCall(connection.session, url.origin, PREDICT_STREAM, callHandlers, key);
    this.stream.on("drain", () => handlers.onRoom());
    const finish = () => this.finish();
    connection.onGoAway = finish;
  }

  /** False while the socket is behind, and for good once the stream ends. */
  get canSend(): boolean {
    const { destroyed, writableLength } = this.stream;
    return !this.isEnding && !this.hasEnded && !destroyed && writableLength < MOST_UNSENT_BYTES;
  }

  /** Resolves once the socket is closed. */
  get closed(): Promise<void> {
    return this.connection.closed;
  }

  /** Sends one item, as pieces of its gRPC message. */
  send(pieces: readonly Uint8Array[]): void {
    const { stream } = this;
    if (pieces.length > 1) stream.cork();
    for (const piece of pieces) stream.write(piece);
    if (pieces.length > 1) stream.uncork();
  }

  /** Whether answers are awaited: a dead peer is then noticed by PINGs. */
  expectAnswers(expected: boolean): void {
    this.connection.keepAlive(expected && !this.hasEnded);
  }

  /** Says that no more items come; the server answers what it has and ends the stream. */
  finish(): void {
    this.isEnding = true;
    if (!this.stream.writableEnded) this.stream.end();
  }

  destroy(): void {
    this.connection.destroy();
  }

  private ended(error: AssayError | undefined): void {
    const { connection } = this;
    this.hasEnded = true;
    connection.keepAlive(false);
    connection.destroy();
    const isLost = error?.reason === Reason.SERVER_UNREACHABLE;
    this.handlers.onEnd(isLost ? (connection.failure ?? error) : error);
  }
}

/** Asks a server for a model that is ready; rejects with an AssayError as `openStreamConnection` does. */
export async function askModel(
  session: ClientHttp2Session,
  { url, modelName, modelVersion, key }: Pick<StreamTarget, "url" | "modelName" | "modelVersion" | "key">,
): Promise<Model> {
  const request = toBinary(GetModelRequestSchema, create(GetModelRequestSchema, { modelName, modelVersion }));
  return readyModel(await callUnary(session, url.origin, GET_MODEL, request, MODEL_TIMEOUT_MS, key));
}

function readyModel(answer: Uint8Array): Model {
  const { model } = fromBinary(GetModelResponseSchema, answer);
  if (model === undefined) throw new AssayError(Reason.INTERNAL, "the server described no model");
  const { modelName, modelVersion, state, stateReason } = model;
  if (state === ModelState.READY) return model;
  const what = `${modelName} version ${modelVersion}`;
  if (state === ModelState.FAILED) {
    throw new AssayError(Reason.MODEL_INVALID, `the server does not serve ${what}: ${stateReason}`);
  }
  const why = stateReason === "" ? "it has no live instance at the moment" : stateReason;
  throw new AssayError(Reason.MODEL_NOT_READY, `${what} takes no requests yet: ${why}`, {
    retryAfterMs: NOT_READY_RETRY_MS,
  });
}

function goneAway(origin: string): AssayError {
  return new AssayError(Reason.SHUTTING_DOWN, `${origin} is shutting down`);
}
