import type { Output } from "../connection/output.ts";
import type { SendScheduler } from "./send-scheduler.ts";
import type { Http2Stream } from "./server-stream.ts";

/** What a stream asks of its connection. */
export interface StreamOwner {
  readonly output: Output;
  readonly scheduler: SendScheduler;
  readonly encrypted: boolean;
  readonly remoteAddress: string;
  /** Sends RST_STREAM. */
  sendReset(streamId: number, code: number): void;
  /** How much the receive windows of all streams together may still grow. */
  growthBytes: number;
  /** A handler has consumed octets of a body. */
  consumed(byteCount: number): void;
  /** The stream has reached a closed state; `completed` when its response went out whole. */
  streamClosed(stream: Http2Stream, completed: boolean): void;
  /** Octets of an answer wait for a window or the socket; too many end the stream after the handler's call. */
  answerQueued(stream: Http2Stream, byteCount: number): void;
  /** Octets that waited were framed or dropped. */
  answerTaken(byteCount: number): void;
  /** How much of a body is still taken after its answer. */
  readonly maxDiscardedBytes: number;
  /** The response is complete while the request is not. */
  responseEndedEarly(stream: Http2Stream): void;
  /** A DATA frame was cut short by a small window (CVE-2019-9511); false when the connection is being ended for it. */
  smallWindow(): boolean;
  /** A handler's callback threw. */
  handlerFailed(error: unknown): void;
}
