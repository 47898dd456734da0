/**
 * Adapts streams to Connect's universal handlers: gRPC, gRPC-Web (binary and text), Connect unary, streaming and GET.
 * Comes in: a ServerStream whose path names a procedure. Goes out: the protocol's response on the same stream.
 * Promises: the peer is slowed when the procedure reads slowly, the procedure when the peer does; a message larger than
 * the limit is refused before Connect sees its frame; every call ends with its response or its stream.
 */
import { Code, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { headerBlock, type ServerStream } from "../../http2/stream.ts";
import type { Log } from "../../telemetry/log.ts";
import type { RequestReader } from "../../wire/request-reader.ts";
import type { AccessLog } from "../access/access-log.ts";
import type { AnswerEncoder } from "../answer/answer-encoder.ts";
import type { CallDeadlines } from "../call/call-deadlines.ts";
import type { MessageCompression } from "../call/compression.ts";
import { type WireProtocol, wireProtocol } from "../call/content-type.ts";
import { beginCall, type EdgeCall } from "../call/edge-call.ts";
import { readsGrpcStatus, refuse } from "../call/refusal.ts";
import { responseFields, trailerFields } from "../call/response-fields.ts";
import { callerTimeout } from "../call/timeout-header.ts";
import { CallMemory } from "../memory/call-memory.ts";
import type { MemoryBudget } from "../memory/memory-budget.ts";
import type { CallCounters } from "../metrics/call-counters.ts";
import type { CallTracer } from "../trace/call-tracer.ts";
import { COMPRESS_MIN_BYTES, VARIES_BY_CODING } from "../unary/unary-form.ts";
import { encodeBase64 } from "./base64-text.ts";
import { answerFrame, EncodedAnswers, encodedAnswersKey, speaksJson } from "./encoded-answers.ts";
import { decodedMessagesKey, edgeCallKey, publicError } from "./interceptor.ts";
import { openRequest, type RequestContext } from "./request.ts";

/** Things that every call behind Connect's handlers shares. */
export interface ConnectContext extends RequestContext {
  readonly corsOrigins: readonly string[];
  readonly log: Log;
  /** Of the whole process. */
  readonly memory: MemoryBudget;
  readonly encoder: AnswerEncoder;
  /** Content-codings that a body of plain HTTP may have. */
  readonly bodyCodings: readonly MessageCompression[];
  /** Procedures that last as long as their caller likes; a drain ends them at once. */
  readonly lasting: ReadonlySet<string>;
  /** The calls to them that are open. */
  readonly lastingCalls: Set<EdgeCall>;
  readonly deadlines: CallDeadlines;
  readonly counters: CallCounters;
  readonly access: AccessLog;
  readonly tracer: CallTracer | undefined;
  readonly requests: RequestReader;
}

/** Serves one stream with the handler of its procedure; `begun`: its call, where that has begun. */
export function serveConnect(
  stream: ServerStream,
  handler: UniversalHandler,
  context: ConnectContext,
  begun?: EdgeCall,
): void {
  const wire = wireProtocol(stream.headers.get("content-type"));
  const { methodKind } = handler.method;
  const hasOneMessage = methodKind === "unary" || methodKind === "server_streaming";
  const lasts = methodKind === "bidi_streaming" || context.lasting.has(handler.requestPath);
  const edgeCall =
    begun ??
    beginCall(stream, {
      procedure: handler.requestPath,
      sendsDetails: !context.foreign.has(handler.requestPath),
      protocol: wire === "grpc" ? "grpc" : wire.startsWith("grpc-web") ? "grpc-web" : "connect",
      lane: methodKind === "unary" ? "interactive" : "bulk",
      timeoutMs: callerTimeout(stream.headers),
      callTimeoutMs: lasts ? Number.POSITIVE_INFINITY : context.limits.callTimeoutMs,
      ...(hasOneMessage && { bodyTimeoutMs: context.limits.bodyTimeoutMs }),
      shared: context,
    });
  if (context.lasting.has(handler.requestPath)) context.lastingCalls.add(edgeCall);
  const abort = new AbortController();
  const memory = new CallMemory(context.memory);
  const { request, arriving, messages } = openRequest(stream, handler, wire, edgeCall, memory, context);
  const onFailure: EdgeCall["onFailure"] = (failure) => {
    const error = publicError(failure, edgeCall);
    memory.fail(error);
    arriving.fail(error);
    abort.abort(error);
  };
  edgeCall.onFailure = onFailure;
  const onBodyEnd = (): void => edgeCall.bodyArrived();
  arriving.onEnd = onBodyEnd;
  const pump = createResponsePump(stream);
  const onCancel: ServerStream["onCancel"] = (reason) => {
    edgeCall.cancel(reason);
    pump.stop();
  };
  stream.onCancel = onCancel;
  const isJson = speaksJson(request.header.get("content-type"), wire);
  const answers = new EncodedAnswers(context.encoder, memory, isJson);
  const contextValues = createContextValues()
    .set(edgeCallKey, edgeCall)
    .set(decodedMessagesKey, messages)
    .set(encodedAnswersKey, answers);
  handler({
    httpVersion: stream.httpVersion === 1 ? "1.1" : "2.0",
    ...request,
    signal: abort.signal,
    contextValues,
  })
    .then(async (written) => {
      const response =
        wire === "http"
          ? await answers.unaryResponse(written, request.header.get("accept-encoding"), context.compressions)
          : written;
      const why = response.body === undefined ? REFUSALS[response.status]?.(handler, stream) : undefined;
      if (why !== undefined && readsGrpcStatus(wire)) {
        const error = edgeCall.asAssayError(new AssayError(Reason.UNIMPLEMENTED, why));
        refuse(stream, error, context.corsOrigins, response.status);
        return undefined;
      }
      return pump.send(explained(response, why, handler), wire, edgeCall, context, answers);
    })
    .catch((error: unknown) => {
      edgeCall.asAssayError(error);
      stream.reset(INTERNAL_ERROR);
    })
    .finally(() => {
      context.lastingCalls.delete(edgeCall);
      memory.end();
      edgeCall.requestBytes = memory.arrivedBytes;
      edgeCall.end();
    });
}

const INTERNAL_ERROR = 2;

/** Connect leaves the body of a refusal empty; people who call by hand need to know why. */
function explained(
  response: UniversalServerResponse,
  message: string | undefined,
  handler: UniversalHandler,
): UniversalServerResponse {
  if (message === undefined) return response;
  const header = new Headers(response.header);
  header.set("content-type", "text/plain; charset=utf-8");
  // RFC 9110, 15.5.6.
  if (response.status === 405) header.set("allow", handler.allowedMethods.join(", "));
  const bytes = new TextEncoder().encode(`${message}\n`);
  return { ...response, header, body: once(bytes) };
}

const REFUSALS: Readonly<Record<number, (handler: UniversalHandler, stream: ServerStream) => string>> = {
  405: (handler, stream) =>
    `${handler.requestPath} takes ${handler.allowedMethods.join(" and ")}, not ${stream.method}`,
  415: (handler, stream) =>
    `${shownType(stream)} is not one that ${handler.requestPath} takes: ${
      handler.method.methodKind === "unary"
        ? "application/json, application/proto"
        : "application/connect+json, application/connect+proto"
    }, application/grpc, application/grpc-web or application/grpc-web-text (with +proto or +json)`,
  505: (handler) =>
    `${handler.requestPath} is a bidi stream and needs HTTP/2; PredictRows works over HTTP/1.1`,
};

function shownType(stream: ServerStream): string {
  const type = stream.headers.get("content-type");
  if (type === undefined) return "no content type came, which";
  return `content type ${JSON.stringify(type.slice(0, 100))}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Of what Connect's handlers refuse by themselves, by the status that they answer with. */
const REFUSED: Readonly<Record<number, Code>> = {
  400: Code.InvalidArgument,
  408: Code.DeadlineExceeded,
  429: Code.ResourceExhausted,
};

function codeOf({ status }: UniversalServerResponse): Code | undefined {
  return status < 400 ? undefined : (REFUSED[status] ?? Code.Unimplemented);
}

const PROTOCOL_FIELDS = new Set(["content-type", "grpc-encoding", "grpc-accept-encoding"]);

function hasOwnFields(header: Headers | undefined): boolean {
  for (const name of header?.keys() ?? []) if (!PROTOCOL_FIELDS.has(name)) return true;
  return false;
}

function mayBeCompressed(header: Headers | undefined): boolean {
  return (
    header !== undefined &&
    (header.has("content-encoding") || Number(header.get("content-length")) >= COMPRESS_MIN_BYTES)
  );
}

function isOk(trailer: Headers): boolean {
  return trailer.get("grpc-status") === "0";
}

/** Of an error that Connect's handlers found by themselves. */
function grpcCode(trailer: Headers): Code | undefined {
  const status = trailer.get("grpc-status");
  return status === null || isOk(trailer) ? undefined : Number(status);
}

/** Sends a universal response as fast as the peer takes it. */
interface ResponsePump {
  send(
    response: UniversalServerResponse,
    wire: WireProtocol,
    edgeCall: EdgeCall,
    context: ConnectContext,
    answers: EncodedAnswers,
  ): Promise<void>;
  /** The stream has gone: what is left of the response is dropped. */
  stop(): void;
}

function createResponsePump(stream: ServerStream): ResponsePump {
  let stopped = false;
  let wake = () => {};
  const onDrain = (): void => wake();
  stream.onDrain = onDrain;
  return {
    async send(response, wire, edgeCall, context, answers) {
      edgeCall.code ??= codeOf(response);
      const iterator = response.body?.[Symbol.asyncIterator]();
      const isText = wire === "grpc-web-text";
      const fields = responseFields(response.header, stream.headers, edgeCall, context.corsOrigins, isText);
      if (wire === "http" && mayBeCompressed(response.header)) fields.push([...VARIES_BY_CODING]);
      // gRPC's head waits for the first octet: an error without a message goes out in one block of fields (Trailers-Only), since
      // clients take a head by itself for an answer that has begun and do not retry.
      // Metadata that a handler put in its head stay a head.
      let hasResponded = wire !== "grpc" || hasOwnFields(response.header);
      if (hasResponded) stream.respond(response.status, headerBlock(fields));
      while (iterator !== undefined && !stopped) {
        const chunk = await iterator.next();
        if (chunk.done || stopped) break;
        if (!hasResponded) stream.respond(response.status, headerBlock(fields));
        hasResponded = true;
        const octets = wire === "http" ? undefined : answers.nextFrame(chunk.value);
        const bytes =
          octets === undefined
            ? chunk.value
            : await answerFrame(octets, response.header, context.compressions);
        if (stopped) continue;
        const sent = isText ? encodeBase64(bytes) : bytes;
        edgeCall.responseBytes += sent.length;
        if (stream.write(sent) || stopped) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (stopped) {
        iterator?.return?.().catch(() => {});
      } else if (response.trailer === undefined) {
        if (!hasResponded) stream.respond(response.status, headerBlock(fields));
        stream.write(new Uint8Array(0), true);
      } else if (hasResponded || isOk(response.trailer)) {
        edgeCall.code ??= grpcCode(response.trailer);
        if (!hasResponded) stream.respond(response.status, headerBlock(fields));
        stream.trailers(headerBlock(trailerFields(response.trailer)));
      } else {
        edgeCall.code ??= grpcCode(response.trailer);
        stream.respond(response.status, headerBlock([...fields, ...trailerFields(response.trailer)]), true);
      }
    },
    stop() {
      stopped = true;
      wake();
    },
  };
}
