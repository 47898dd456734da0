import type { Output } from "./output.ts";
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
  /** Gives octets back to the connection's receive window. */
  consumed(byteCount: number): void;
  /** The stream has reached a closed state; `completed` when its response went out whole. */
  streamClosed(stream: Http2Stream, completed: boolean): void;
  /** The response is complete while the request is not. */
  responseEndedEarly(stream: Http2Stream): void;
  /** A DATA frame was cut short by a small window (CVE-2019-9511); false when the connection is being ended for it. */
  smallWindow(): boolean;
  /** A handler's callback threw. */
  handlerFailed(error: unknown): void;
}
