/**
 * PredictStream over gRPC, framed here on the stream interface: Connect's bidi path costs a core for 1.2 M rows a second.
 * Comes in: a ServerStream that speaks gRPC with binary messages over HTTP/2. Goes out: what Connect's handler would send, which is
 * the reference and serves everything else.
 * Promises: a peer that does not read is not read either beyond the stream's window: its bytes are given back only as the items that
 * they brought leave with their answers; the duties of a call are `edge-call.ts`'s.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { type Compression, compressionNegotiate } from "@connectrpc/connect/protocol";
import { parseTimeout, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import {
  type PredictStreamRequest,
  ScoringService as ScoringServiceDesc,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import { headerBlock, type ServerStream } from "../http2/stream.ts";
import type { ItemSize, ItemStream, ScoringService } from "../service/scoring.ts";
import { publicError } from "./call-interceptor.ts";
import type { ConnectContext } from "./connect-adapter.ts";
import { beginCall, type EdgeCall } from "./edge-call.ts";
import { COMPRESSED_FLAG, createGrpcDeframer, framed, PREFIX_BYTES } from "./grpc-frames.ts";
import { decodeItem } from "./item-decoding.ts";
import { encodeItem } from "./item-encoding.ts";
import { createMessageMemory, type MessageLease } from "./message-memory.ts";
import { responseFields, trailerFields, universalHeaders } from "./response-fields.ts";
import { callerTimeout } from "./timeout-header.ts";

/** A procedure whose gRPC form is framed here. */
export interface GrpcStreamRoute {
  readonly procedure: string;
  serve(stream: ServerStream, context: ConnectContext): void;
}

/** Whether a stream speaks gRPC in the form that is framed here. */
export function isGrpcStream(stream: ServerStream): boolean {
  const type = stream.headers.get("content-type") ?? "";
  return stream.httpVersion === 2 && stream.method === "POST" && /^application\/grpc(\+proto)?$/i.test(type);
}

/** The route of PredictStream; `compressions` as Connect's handlers have them. */
export function grpcStreamRoute(
  scoring: ScoringService,
  compressions: readonly Compression[],
): GrpcStreamRoute {
  const { typeName, method } = ScoringServiceDesc;
  const procedure = `/${typeName}/${method.predictStream.name}`;
  return {
    procedure,
    serve(stream, context) {
      const edgeCall = beginCall(stream, {
        procedure,
        sendsDetails: true,
        protocol: "grpc",
        lane: "bulk",
        timeoutMs: callerTimeout(stream.headers),
        callTimeoutMs: Number.POSITIVE_INFINITY,
        log: context.log,
      });
      serveItems(stream, edgeCall, scoring.openStream(edgeCall.call), compressions, context);
    },
  };
}

const DONE = headerBlock([["grpc-status", "0"]]);
const COMPRESS_MIN_BYTES = 1024;
/** For all streams: what one does not need another uses. */
const memory = createMessageMemory();

function serveItems(
  stream: ServerStream,
  edgeCall: EdgeCall,
  items: ItemStream,
  compressions: readonly Compression[],
  context: ConnectContext,
): void {
  const requestHeader = universalHeaders(stream.headers, "grpc");
  const encodings = compressionNegotiate(
    [...compressions],
    requestHeader.get("grpc-encoding"),
    requestHeader.get("grpc-accept-encoding"),
    "grpc-accept-encoding",
  );
  /** Whole messages that are not decoded yet, and the one that did not fit the window. */
  const waiting: { flags: number; message: MessageLease; wireBytes: number }[] = [];
  let offered: { item: PredictStreamRequest; size: ItemSize } | undefined;
  let requestEnd: { readonly error: unknown } | undefined;
  let pendingConsumed = 0;
  let isDecompressing = false;
  let isCompressing = false;
  let isWritable = true;
  let isScheduled = false;
  let hasResponded = false;
  let isDone = false;

  const deframer = createGrpcDeframer(context.limits.maxMessageBytes, memory, (flags, message) => {
    waiting.push({ flags, message, wireBytes: PREFIX_BYTES + message.bytes.length - pendingConsumed });
    pendingConsumed = 0;
  });

  /** What throws here is a bug or a malformed request: it ends the call, never the process. */
  function guarded(action: () => void): void {
    if (isDone) return;
    try {
      action();
    } catch (error) {
      finish(error);
    }
  }

  function endRequest(error: unknown): void {
    requestEnd ??= { error };
  }

  function onData(bytes: Uint8Array, end: boolean): void {
    if (requestEnd !== undefined) return;
    try {
      deframer.take(bytes);
    } catch (error) {
      endRequest(error);
    }
    if (end) {
      const isCut = deframer.pendingBytes > 0;
      endRequest(
        isCut ? new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument) : undefined,
      );
    }
    read();
  }

  /** Offers what has come, as far as the window allows. */
  function read(): void {
    while (!isDecompressing && !items.isEnding) {
      if (offered !== undefined) {
        if (!items.offer(offered.item, offered.size)) return;
        offered = undefined;
        continue;
      }
      const next = waiting.shift();
      if (next === undefined) {
        if (requestEnd !== undefined) items.end(requestEnd.error);
        else consumePending();
        return;
      }
      const { flags, message, wireBytes } = next;
      if ((flags & COMPRESSED_FLAG) === 0) decode(message.bytes, wireBytes, message.release);
      else if (encodings.request !== null) decompress(encodings.request, message, wireBytes);
      else {
        const what = "received compressed envelope, but do not know how to decompress";
        items.end(new ConnectError(what, Code.Internal));
      }
    }
  }

  function decode(bytes: Uint8Array, wireBytes: number, release: () => void): void {
    const onLeave = () => {
      release();
      if (wireBytes > 0) stream.consume(wireBytes);
    };
    try {
      const item = decodeItem(bytes);
      offered = { item, size: { memoryBytes: bytes.length, onLeave } };
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      items.end(new ConnectError(`parse binary: ${what}`, Code.Internal));
    }
  }

  function decompress(compression: Compression, message: MessageLease, wireBytes: number): void {
    isDecompressing = true;
    compression.decompress(message.bytes, context.limits.maxMessageBytes).then(
      (bytes) => {
        isDecompressing = false;
        guarded(() => {
          decode(bytes, wireBytes, message.release);
          read();
        });
      },
      (error: unknown) => guarded(() => items.end(error)),
    );
  }

  /** A message may be larger than the window: where nothing else is in the stream, its bytes are given back as they come. */
  function consumePending(): void {
    const byteCount = deframer.pendingBytes - pendingConsumed;
    if (byteCount === 0 || !items.isIdle) return;
    pendingConsumed += byteCount;
    stream.consume(byteCount);
  }

  /** Sends what is due, as far as the peer reads; then there is room for more. */
  function send(): void {
    isScheduled = false;
    if (isDone) return;
    while (isWritable && !isCompressing) {
      const answer = items.take();
      if (answer === undefined) {
        if (items.outcome !== undefined) finish(items.outcome.error);
        break;
      }
      const bytes = encodeItem(answer);
      if (encodings.response === null || bytes.length - PREFIX_BYTES < COMPRESS_MIN_BYTES) write(bytes);
      else compress(encodings.response, bytes.subarray(PREFIX_BYTES));
    }
    if (!isDone) read();
  }

  function compress(compression: Compression, message: Uint8Array): void {
    isCompressing = true;
    compression.compress(message).then(
      (compressed) => {
        isCompressing = false;
        guarded(() => {
          write(framed(COMPRESSED_FLAG, compressed));
          send();
        });
      },
      (error: unknown) => guarded(() => finish(error)),
    );
  }

  function respond(): void {
    if (hasResponded) return;
    hasResponded = true;
    const header = new Headers({ "content-type": "application/grpc+proto" });
    if (encodings.response !== null) header.set("grpc-encoding", encodings.response.name);
    const fields = responseFields(header, stream.headers, edgeCall.id, context.corsOrigins);
    stream.respond(200, headerBlock(fields));
  }

  function write(bytes: Uint8Array): void {
    respond();
    isWritable = stream.write(bytes);
  }

  function finish(error: unknown): void {
    if (isDone) return;
    isDone = true;
    respond();
    if (error === undefined) stream.trailers(DONE);
    else {
      const trailer = setTrailerStatus(new Headers(), publicError(error, edgeCall));
      stream.trailers(headerBlock(trailerFields(trailer)));
    }
    items.close();
    edgeCall.end();
  }

  items.onChange = () => {
    if (isScheduled) return;
    isScheduled = true;
    // The answers of a batch come one by one: they are sent together.
    queueMicrotask(() => guarded(send));
  };
  edgeCall.onFailure = finish;
  stream.onCancel = (reason) => edgeCall.cancel(reason);
  stream.onDrain = () => {
    isWritable = true;
    guarded(send);
  };
  const refused =
    encodings.error ?? parseTimeout(requestHeader.get("grpc-timeout"), Number.MAX_SAFE_INTEGER).error;
  if (refused !== undefined) items.end(refused);
  // It may have ended before anyone listened: the server shuts down.
  if (items.outcome !== undefined) items.onChange();
  stream.onData = (bytes, end) => guarded(() => onData(bytes, end));
}
