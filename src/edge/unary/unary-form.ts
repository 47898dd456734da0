import type { Headers, ServerStream } from "../../http2/stream.ts";
import type { Call } from "../../service/call.ts";
import type { MessageCompression } from "../call/compression.ts";
import type { EdgeCall } from "../call/edge-call.ts";
import type { CallMemory } from "../memory/call-memory.ts";
import type { PathParams } from "../route-table.ts";

/** The messages of one procedure in one encoding. */
export interface MessageCodec<Request, Response> {
  /**
   * The request of `bytes`, which stay as they are until the call is answered, so that it may have views of them. `params` are the
   * path's, for what the body does not say, as are `headers`. Throws, or rejects with, what is wrong with it.
   */
  decode(
    bytes: Uint8Array,
    memory: CallMemory,
    params: PathParams,
    call: Call,
    headers?: Headers,
  ): Request | Promise<Request>;
  /** The response behind `room` free octets: now where it is small, else in slices, as long as the call that `memory` is of goes on. */
  encode(response: Response, room: number, memory: CallMemory): Uint8Array | Promise<Uint8Array>;
}

/** What a protocol sees of a call that it answers. */
export interface AnsweredCall {
  readonly stream: ServerStream;
  readonly edgeCall: EdgeCall;
  readonly corsOrigins: readonly string[];
  /** What the path says. */
  readonly params: PathParams;
  /** The request, once it is decoded. */
  readonly request: { readonly message: unknown } | undefined;
  /** What the caller wants its answers compressed with, where they are large enough. */
  readonly compression: MessageCompression | undefined;
}

/** How a protocol frames one message each way. */
export interface UnaryProtocol {
  /** For logs and metrics. */
  readonly name: string;
  /** Messages come with a flag and their length before them. */
  readonly isFramed: boolean;
  /** What it writes before a message. */
  readonly prefixBytes: number;
  /** The fields that its callers speak with; undefined: a plain call has none of its own. */
  readonly fields: CallFields | undefined;
  /** Content-codings that an answer may have where the caller accepts it, of a protocol without fields of its own; undefined: none. */
  readonly codings?: readonly MessageCompression[];
  /** Whether a stream may be served here: by its HTTP version and all else that its fields do not say. */
  accepts(stream: ServerStream): boolean;
  /** Sends a message, `bytes` of `response` with room for the prefix, and ends the stream. */
  respond(call: AnsweredCall, bytes: Uint8Array, isCompressed: boolean, response: unknown): void;
  /** Sends an error, and ends the stream. */
  fail(call: AnsweredCall, error: unknown): void | Promise<void>;
}

/** The fields of a protocol by which a call is told to be plain. */
export interface CallFields {
  readonly encoding: string;
  readonly acceptEncoding: string;
  readonly timeout: string;
  /** Milliseconds; undefined where it is malformed. */
  parseTimeout(value: string): number | undefined;
}

/** One procedure in one protocol and encoding. */
export interface UnaryForm<Request = unknown, Response = unknown> {
  readonly protocol: UnaryProtocol;
  readonly codec: MessageCodec<Request, Response>;
  run(request: Request, call: Call): Promise<Response>;
}

/** The octets from which on an answer is compressed, where its caller takes that. */
export const COMPRESS_MIN_BYTES = 1024;

/** On answers that are compressed for callers who take it: caches keep them apart by what callers take (RFC 9110, 12.5.5). */
export const VARIES_BY_CODING: readonly [string, string] = ["vary", "accept-encoding"];
