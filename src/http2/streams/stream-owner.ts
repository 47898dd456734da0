import type { Output } from "../frame/output.ts";
import type { CancelReason } from "../stream.ts";
import type { SendScheduler } from "./send-scheduler.ts";

/** What a connection asks of a stream that tells it something. */
export interface OwnedStream {
  readonly id: number;
  readonly state: number;
  /** Octets of the body received so far. */
  readonly bodyBytes: number;
  /** Ends the stream with RST_STREAM; the handler hears of it where there is a reason. */
  abort(code: number, reason: CancelReason | undefined): void;
  /** The answer is complete and the rest of the body is not wanted. */
  stopPeer(): void;
}

/** What a stream asks of its connection. */
export interface StreamOwner {
  readonly output: Output;
  readonly scheduler: SendScheduler;
  readonly encrypted: boolean;
  readonly remoteAddress: string;
  readonly socket: object;
  /** Sends RST_STREAM. */
  sendReset(streamId: number, code: number): void;
  /** How much the receive windows of all streams together may still grow. */
  growthBytes: number;
  /** A handler has consumed octets of a body. */
  consumed(byteCount: number): void;
  /** The stream has reached a closed state; `completed` when its response went out whole. */
  streamClosed(stream: OwnedStream, completed: boolean): void;
  /** Octets of an answer wait for a window or the socket; too many end the stream after the handler's call. */
  answerQueued(stream: OwnedStream, byteCount: number): void;
  /** Octets that waited were framed or dropped. */
  answerTaken(byteCount: number): void;
  /** How much of a body is still taken after its answer. */
  readonly maxDiscardedBytes: number;
  /** More than that came: the peer is stopped. */
  bodyCutOff(): void;
  /** The response is complete while the request is not. */
  responseEndedEarly(stream: OwnedStream): void;
  /** A DATA frame was cut short by a small window (CVE-2019-9511); false when the connection is being ended for it. */
  smallWindow(): boolean;
  /** A handler's callback threw. */
  handlerFailed(error: unknown): void;
}
