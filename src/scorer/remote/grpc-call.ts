import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  sensitiveHeaders,
} from "node:http2";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { Status } from "../../../gen/google/rpc/status_pb.ts";
import { AssayError, messageOf } from "../../errors.ts";
import { answerDeframer } from "../../wire/answer-frames.ts";
import { framed } from "../../wire/grpc-frame.ts";
import { statusError, statusOf } from "../../wire/grpc-status.ts";

/** HTTP statuses of proxies whose server is away for the moment; gRPC's http-grpc-status-mapping.md calls them UNAVAILABLE. */
const PASSING_HTTP_STATUSES: readonly (number | undefined)[] = [429, 502, 503, 504];
const PROXY_RETRY_MS = 1_000;

/** What happens on a call. */
export interface CallHandlers {
  onMessage(message: Uint8Array): void;
  /** Once, at the end; undefined: the server ended the call with OK. */
  onEnd(error: AssayError | undefined): void;
}

type ResponseHead = IncomingHttpHeaders & IncomingHttpStatusHeader;

/**
 * Starts one gRPC call on a connection and reads its response; the caller writes messages and ends the stream. Whatever
 * happens, `onEnd` is called. `origin` is for messages to users, `key` is the caller's; undefined: it has none.
 */
export function startCall(
  session: ClientHttp2Session,
  origin: string,
  path: string,
  handlers: CallHandlers,
  key: string | undefined,
): ClientHttp2Stream {
  const stream = session.request(
    {
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": "assay-score",
      ...(key === undefined ? {} : { authorization: `Bearer ${key}`, [sensitiveHeaders]: ["authorization"] }),
    },
    { endStream: false },
  );
  let failure: AssayError | undefined;
  let status: Status | undefined;
  const deframer = answerDeframer();
  const fail = (error: AssayError) => {
    failure ??= error;
    stream.close(constants.NGHTTP2_CANCEL);
  };
  stream.on("response", (head: ResponseHead) => {
    status = statusOf(head);
    const error = foreignAnswer(origin, head);
    if (error !== undefined) fail(error);
  });
  stream.on("data", (piece: Buffer) => {
    if (failure !== undefined) return;
    try {
      deframer.push(piece);
      for (let message = deframer.next(); message !== undefined; message = deframer.next()) {
        handlers.onMessage(message);
      }
    } catch (error) {
      fail(error instanceof AssayError ? error : unreadable(origin, error));
    }
  });
  stream.on("trailers", (trailers: IncomingHttpHeaders) => {
    status = statusOf(trailers) ?? status;
  });
  // The server's end is the call's: what is not sent yet nobody reads, and a half-open stream would never close.
  stream.on("end", () => {
    if (status === undefined) failure ??= withoutStatus(origin);
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  });
  let lastError: Error | undefined;
  stream.on("error", (error) => {
    lastError ??= error;
  });
  stream.on("close", () => {
    if (failure === undefined && status !== undefined && status.code !== 0) failure = statusError(status);
    if (failure === undefined && status === undefined) failure = cutOff(origin, stream, lastError);
    handlers.onEnd(failure);
  });
  return stream;
}

/** One unary gRPC call; rejects with an AssayError, DEADLINE_EXCEEDED after `timeoutMs`. */
export function callUnary(
  session: ClientHttp2Session,
  origin: string,
  path: string,
  request: Uint8Array,
  timeoutMs: number,
  key: string | undefined,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let answer: Uint8Array | undefined;
    let timedOut = false;
    const handlers: CallHandlers = {
      onMessage(message) {
        answer = message;
      },
      onEnd(error) {
        clearTimeout(timer);
        if (timedOut)
          reject(
            new AssayError(
              Reason.DEADLINE_EXCEEDED,
              `${origin} did not answer ${path} within ${timeoutMs} ms`,
            ),
          );
        else if (error !== undefined) reject(error);
        else if (answer === undefined) reject(unreadable(origin, new Error("an answer without a message")));
        else resolve(answer);
      },
    };
    const stream = startCall(session, origin, path, handlers, key);
    const timer = setTimeout(() => {
      timedOut = true;
      stream.close(constants.NGHTTP2_CANCEL);
    }, timeoutMs);
    stream.end(framed(0, request));
  });
}

/** Why a response's head is not gRPC's; undefined where it is. */
function foreignAnswer(origin: string, head: ResponseHead): AssayError | undefined {
  const httpStatus = head[":status"];
  const contentType = head["content-type"] ?? "";
  const isGrpc = /^application\/grpc(\+proto)?(;|$)/i.test(contentType);
  if (httpStatus === 200 && isGrpc) return undefined;
  // Proxies put a gRPC status beside an HTTP status of their own.
  if (isGrpc && head["grpc-status"] !== undefined) return undefined;
  const type = contentType === "" ? "no content type" : contentType;
  return new AssayError(
    Reason.SERVER_UNREACHABLE,
    `${origin} answered with HTTP status ${httpStatus} and ${type}; expected gRPC's 200 and application/grpc: ` +
      "is this the URL of an Assay server, and does a proxy before it pass gRPC on?",
    PASSING_HTTP_STATUSES.includes(httpStatus) ? { retryAfterMs: PROXY_RETRY_MS } : {},
  );
}

function cutOff(origin: string, stream: ClientHttp2Stream, cause: Error | undefined): AssayError {
  const { rstCode, session } = stream;
  // A cut connection resets its streams as well; the code is then this end's own.
  const isConnectionLost = session === undefined || session.closed || session.destroyed;
  let how = `the stream was reset (${resetName(rstCode)})`;
  if (isConnectionLost) how = `the connection was lost${cause === undefined ? "" : ` (${cause.message})`}`;
  return new AssayError(Reason.SERVER_UNREACHABLE, `${origin}: ${how}`, { cause });
}

function withoutStatus(origin: string): AssayError {
  return new AssayError(Reason.SERVER_UNREACHABLE, `${origin}: the stream was closed without a status`);
}

function resetName(code: number): string {
  const names = Object.entries(constants).filter(([, value]) => value === code);
  const name = names.find(([key]) => RESET_NAMES.test(key))?.[0];
  return name === undefined ? `code ${code}` : name.slice("NGHTTP2_".length);
}

const RESET_NAMES =
  /^NGHTTP2_(PROTOCOL_ERROR|INTERNAL_ERROR|FLOW_CONTROL_ERROR|SETTINGS_TIMEOUT|STREAM_CLOSED|FRAME_SIZE_ERROR|REFUSED_STREAM|CANCEL|COMPRESSION_ERROR|CONNECT_ERROR|ENHANCE_YOUR_CALM|INADEQUATE_SECURITY|HTTP_1_1_REQUIRED)$/;

function unreadable(origin: string, cause: unknown): AssayError {
  const text = messageOf(cause);
  return new AssayError(Reason.INTERNAL, `an answer of ${origin} cannot be read as Assay's: ${text}`, {
    cause,
  });
}
