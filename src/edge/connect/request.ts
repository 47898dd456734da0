/**
 * A stream as the request that Connect's handlers take, its messages decoded here before the handler reads them. A GET becomes the POST
 * that it stands for.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { ServerStream } from "../../http2/stream.ts";
import type { MessageCompression } from "../call/compression.ts";
import { codingName } from "../call/content-coding.ts";
import type { WireProtocol } from "../call/content-type.ts";
import type { EdgeCall } from "../call/edge-call.ts";
import type { EdgeLimits } from "../call/limits.ts";
import { createRequestBody, type RequestBody } from "../call/request-body.ts";
import { universalHeaders } from "../call/response-fields.ts";
import type { MessageDecoder, RequestForm } from "../decode/message-decoder.ts";
import type { CallMemory } from "../memory/call-memory.ts";
import { framedMessageCheck, wholeBodyCheck } from "../memory/message-limit.ts";
import { createBase64Decoder } from "./base64-text.ts";
import { DecodedMessages } from "./decoded-messages.ts";
import { publicError } from "./interceptor.ts";
import { hollowFrames, hollowMessage, hollowWhole, type MessageReading } from "./request-messages.ts";

/** What requests are read with. */
export interface RequestContext {
  readonly limits: EdgeLimits;
  readonly decoder: MessageDecoder;
  readonly compressions: readonly MessageCompression[];
  /** Procedures of other suites, which Connect's own decoders read. */
  readonly foreign: ReadonlySet<string>;
  /** Procedures whose messages stand for requests of another service. */
  readonly requestForms: ReadonlyMap<string, RequestForm>;
}

/** A request for a handler. */
export interface ConnectRequest {
  readonly request: Pick<UniversalServerRequest, "method" | "url" | "header" | "body">;
  /** The body as it arrives. */
  readonly arriving: RequestBody;
  /** The decoded messages; undefined where the handler decodes them. */
  readonly messages: DecodedMessages | undefined;
}

/** Begins to read a request for the handler of its procedure; nothing is decoded before the handler asks for it. */
export function openRequest(
  stream: ServerStream,
  handler: UniversalHandler,
  wire: WireProtocol,
  edgeCall: EdgeCall,
  memory: CallMemory,
  context: RequestContext,
): ConnectRequest {
  const arriving = arrivingBody(stream, wire, edgeCall, memory, context.limits);
  const header = universalHeaders(stream.headers, wire);
  const asGiven = { method: stream.method, url: requestUrl(stream), header };
  const query = stream.method === "GET" ? readQueryMessage(stream.path) : undefined;
  const isRead = stream.method === "POST" || query !== undefined;
  if (!isRead || context.foreign.has(handler.requestPath)) {
    return { request: { ...asGiven, body: arriving }, arriving, messages: undefined };
  }
  const messages = new DecodedMessages(memory, context.limits.streamWindowBytes);
  // The handler reads another body than the one that came.
  if (stream.headers.get("content-length") !== undefined) header.delete("content-length");
  if (query !== undefined) turnIntoPost(header, query);
  const encodingField = ENCODING_HEADER[wire];
  const encoding = codingName(query === undefined ? stream.headers.get(encodingField) : query.compression);
  // The handler knows one spelling of each.
  if (header.has(encodingField)) header.set(encodingField, encoding);
  const type = stream.headers.get("content-type") ?? "";
  const reading: MessageReading = {
    form: {
      ...context.requestForms.get(handler.requestPath),
      desc: handler.method.input,
      isJson: query?.isJson ?? /\bjson\b/i.test(type),
    },
    compression: context.compressions.find(({ name }) => name === encoding),
    endFlag: END_FLAG[wire],
    maxMessageBytes: context.limits.maxMessageBytes,
    decoder: context.decoder,
    memory,
    messages,
    asError: (error) => publicError(error, edgeCall),
  };
  if (wire === "http" && reading.compression !== undefined) takeEncoding(header, reading.compression.name);
  const body =
    query !== undefined
      ? hollowQuery(query, reading)
      : wire === "http"
        ? hollowWhole(arriving, reading)
        : hollowFrames(arriving, reading);
  return { request: { ...asGiven, method: "POST", body }, arriving, messages };
}

const ENCODING_HEADER: Readonly<Record<WireProtocol, string>> = {
  grpc: "grpc-encoding",
  "grpc-web": "grpc-encoding",
  "grpc-web-text": "grpc-encoding",
  "connect-stream": "connect-content-encoding",
  http: "content-encoding",
};

const END_FLAG: Readonly<Record<WireProtocol, number>> = {
  grpc: 0,
  "grpc-web": 0x80,
  "grpc-web-text": 0x80,
  "connect-stream": 0x02,
  http: 0,
};

function requestUrl(stream: ServerStream): string {
  const scheme = stream.encrypted ? "https" : "http";
  const url = `${scheme}://${stream.authority}${stream.path}`;
  return URL.canParse(url) ? url : `${scheme}://localhost${stream.path}`;
}

function turnIntoPost(header: Headers, { isJson, compression }: QueryMessage): void {
  header.set("content-type", isJson ? "application/json" : "application/proto");
  if (compression !== undefined) header.set("content-encoding", compression);
}

/** The body that the handler reads is not compressed; the answer is as before, in the request's encoding where none is asked for. */
function takeEncoding(header: Headers, name: string): void {
  header.delete("content-encoding");
  if (!header.has("accept-encoding")) header.set("accept-encoding", name);
}

async function* hollowQuery(query: QueryMessage, reading: MessageReading): AsyncGenerator<Uint8Array> {
  yield await hollowMessage(query.bytes(), reading);
}

function arrivingBody(
  stream: ServerStream,
  wire: WireProtocol,
  edgeCall: EdgeCall,
  memory: CallMemory,
  limits: EdgeLimits,
): RequestBody {
  const check = memory.counting(
    wire === "http"
      ? wholeBodyCheck(limits.maxMessageBytes, stream.headers.get("content-length"))
      : framedMessageCheck(limits.maxMessageBytes),
  );
  const asError = (error: AssayError) => publicError(error, edgeCall);
  if (wire !== "grpc-web-text") return createRequestBody(stream, check, asError);
  const decoder = createBase64Decoder();
  return createRequestBody(stream, check, asError, (bytes, end) => {
    try {
      return decoder.decode(bytes, end);
    } catch (error) {
      throw new ConnectError((error as Error).message, Code.InvalidArgument);
    }
  });
}

/** A message that came in the query of a GET, as the Connect protocol writes it. */
export interface QueryMessage {
  readonly isJson: boolean;
  /** The name of its compression; undefined: none. */
  readonly compression: string | undefined;
  /** Throws INVALID_REQUEST where the text is no base64. */
  bytes(): Uint8Array;
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Reads the query of a path; undefined where it names no encoding that Connect has, which the handler refuses. */
function readQueryMessage(path: string): QueryMessage | undefined {
  const query = path.indexOf("?");
  const parameters = new URLSearchParams(query === -1 ? "" : path.slice(query));
  const encoding = parameters.get("encoding");
  if (encoding !== "json" && encoding !== "proto") return undefined;
  const message = parameters.get("message") ?? "";
  const isBase64 = parameters.get("base64") === "1";
  return {
    isJson: encoding === "json",
    compression: parameters.get("compression") ?? undefined,
    bytes() {
      if (!isBase64) return Buffer.from(message);
      if (!BASE64.test(message)) {
        throw new AssayError(
          Reason.INVALID_REQUEST,
          "the query's message is not valid base64, which base64=1 says it is",
        );
      }
      return Buffer.from(message, "base64");
    },
  };
}
