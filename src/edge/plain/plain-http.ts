/**
 * Plain HTTP: one request body in, one response body out, for handlers that are pure of sockets.
 * Promises: the same duties as every call (deadline, cancellation, id, log, message limit, body time-out).
 */

import type { AssayError } from "../../errors.ts";
import { type Headers, headerBlock, type ServerStream } from "../../http2/stream.ts";
import type { Call } from "../../service/call.ts";
import type { Log } from "../../telemetry/log.ts";
import type { AccessLog } from "../access/access-log.ts";
import type { CallDeadlines } from "../call/call-deadlines.ts";
import type { MessageCompression } from "../call/compression.ts";
import { codingName, IDENTITY, UnknownCoding } from "../call/content-coding.ts";
import { beginCall, type EdgeCall } from "../call/edge-call.ts";
import { retryAfterMs, retryAfterSeconds } from "../call/error-details.ts";
import type { EdgeLimits } from "../call/limits.ts";
import { createRequestBody } from "../call/request-body.ts";
import { responseFields } from "../call/response-fields.ts";
import type { MessageDecoder } from "../decode/message-decoder.ts";
import { CallMemory } from "../memory/call-memory.ts";
import type { MemoryBudget } from "../memory/memory-budget.ts";
import { wholeBodyCheck } from "../memory/message-limit.ts";
import type { CallCounters } from "../metrics/call-counters.ts";
import type { PathParams } from "../route-table.ts";
import type { CallTracer } from "../trace/call-tracer.ts";

/** A request with its whole body. */
export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly params: PathParams;
  readonly headers: Headers;
  /** The whole body, without its content-coding. */
  readonly bytes: Uint8Array;
  readonly call: Call;
  readonly memory: CallMemory;
}

/** A response: its body is sent as JSON, unless it is octets already. */
export interface PlainResponse {
  readonly status: number;
  readonly body: unknown;
  /** Of the body; default: JSON. */
  readonly contentType?: string;
  /** The content-codings that a request may have, where it is answered that its own is not taken. */
  readonly acceptEncoding?: string;
  /** More fields of its head. */
  readonly fields?: readonly (readonly [name: string, value: string])[];
}

/** One plain HTTP resource. Throws AssayErrors; `errorBody` gives them their form. */
export interface PlainRoute {
  /** A path; a segment in braces is a place for any text: `/predict/{model}`. */
  readonly pattern: string;
  readonly methods: readonly string[];
  /** As `Route.isOpen`. */
  readonly isOpen?: boolean;
  handle(request: PlainRequest): PlainResponse | Promise<PlainResponse>;
  errorResponse(error: AssayError, place: PlainPlace, call: Call): PlainResponse;
}

/** Where a request was sent. */
export type PlainPlace = Pick<PlainRequest, "path" | "params">;

/** What all plain routes share. */
export interface PlainContext {
  readonly limits: EdgeLimits;
  readonly corsOrigins: readonly string[];
  readonly log: Log;
  /** Of the whole process. */
  readonly memory: MemoryBudget;
  readonly decoder: MessageDecoder;
  readonly compressions: readonly MessageCompression[];
  /** Content-codings that a body of plain HTTP may have. */
  readonly bodyCodings: readonly MessageCompression[];
  readonly deadlines: CallDeadlines;
  readonly counters: CallCounters;
  readonly access: AccessLog;
  readonly tracer: CallTracer | undefined;
}

const NOT_MODIFIED = 304;

/** Serves one stream with a plain route. */
export function servePlain(
  stream: ServerStream,
  route: PlainRoute,
  place: PlainPlace,
  context: PlainContext,
): void {
  const edgeCall = beginCall(stream, {
    procedure: place.path,
    sendsDetails: true,
    protocol: "http",
    lane: "interactive",
    timeoutMs: undefined,
    callTimeoutMs: context.limits.callTimeoutMs,
    bodyTimeoutMs: context.limits.bodyTimeoutMs,
    shared: context,
  });
  const onCancel: ServerStream["onCancel"] = (reason) => edgeCall.cancel(reason);
  stream.onCancel = onCancel;
  const memory = new CallMemory(context.memory);
  answer(stream, route, place, edgeCall, memory, context)
    .catch((error: unknown) => respondError(stream, route, place, edgeCall, context, error))
    .finally(() => {
      memory.end();
      edgeCall.requestBytes = memory.arrivedBytes;
      edgeCall.end();
    });
}

async function answer(
  stream: ServerStream,
  route: PlainRoute,
  place: PlainPlace,
  edgeCall: EdgeCall,
  memory: CallMemory,
  context: PlainContext,
): Promise<void> {
  const bytes = await readBody(stream, edgeCall, memory, context);
  const { call } = edgeCall;
  const response = await edgeCall.guard(
    Promise.resolve(
      route.handle({ ...place, method: stream.method, headers: stream.headers, bytes, call, memory }),
    ),
  );
  respondPlain(stream, response, edgeCall, context.corsOrigins);
}

function respondError(
  stream: ServerStream,
  route: PlainRoute,
  place: PlainPlace,
  edgeCall: EdgeCall,
  context: PlainContext,
  thrown: unknown,
): void {
  const error = edgeCall.asAssayError(thrown);
  const response = route.errorResponse(error, place, edgeCall.call);
  if (thrown instanceof UnknownCoding) {
    const refusal = { ...response, status: UnknownCoding.httpStatus, acceptEncoding: thrown.taken };
    respondPlain(stream, refusal, edgeCall, context.corsOrigins);
  } else respondPlain(stream, response, edgeCall, context.corsOrigins, retryAfterMs(error));
}

async function readBody(
  stream: ServerStream,
  edgeCall: EdgeCall,
  memory: CallMemory,
  context: PlainContext,
): Promise<Uint8Array> {
  const { maxMessageBytes } = context.limits;
  const check = memory.counting(wholeBodyCheck(maxMessageBytes, stream.headers.get("content-length")));
  const body = createRequestBody(stream, check, (error) => error);
  const onFailure: EdgeCall["onFailure"] = (failure) => {
    memory.fail(failure);
    body.fail(failure);
  };
  edgeCall.onFailure = onFailure;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  edgeCall.bodyArrived();
  const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  const field = stream.headers.get("content-encoding");
  const coding = codingName(field);
  if (coding === IDENTITY) return bytes;
  const compression = context.bodyCodings.find(({ name }) => name === coding);
  if (compression !== undefined) return context.decoder.decompress(compression, bytes, memory);
  throw new UnknownCoding(field!, context.bodyCodings);
}

/** Sends a response and ends the stream. */
export function respondPlain(
  stream: ServerStream,
  response: PlainResponse,
  edgeCall: EdgeCall,
  corsOrigins: readonly string[],
  retryMs?: number,
): void {
  const { body } = response;
  const bytes = body instanceof Uint8Array ? body : new TextEncoder().encode(`${JSON.stringify(body)}\n`);
  const fields: (readonly [string, string])[] = [...(response.fields ?? [])];
  // A body of no length would be told of what the caller has already (RFC 9110, 8.6).
  if (response.status !== NOT_MODIFIED) {
    fields.push(
      ["content-type", response.contentType ?? "application/json"],
      ["content-length", String(bytes.byteLength)],
    );
  }
  if (response.acceptEncoding !== undefined) fields.push(["accept-encoding", response.acceptEncoding]);
  if (response.status === 401) fields.push(["www-authenticate", "Bearer"]);
  if (retryMs !== undefined) fields.push(["retry-after", retryAfterSeconds(retryMs)]);
  const rest = responseFields(undefined, stream.headers, edgeCall, corsOrigins);
  edgeCall.httpStatus = response.status;
  edgeCall.responseBytes = bytes.length;
  stream.respond(response.status, headerBlock([...fields, ...rest]));
  stream.write(stream.method === "HEAD" ? new Uint8Array(0) : bytes, true);
}
