import type { Duplex } from "node:stream";
import type { Http2Counters } from "../../http2/connection/counters.ts";
import type { CancelReason } from "../../http2/stream.ts";

/** Serves the connections of one HTTP version; the listener makes it, hands it sockets and closes them. */
export interface Engine {
  /** Takes a socket whose first bytes lie unread in it. */
  accept(socket: Duplex): void;
  /** From now on peers are told, where their protocol can say so with an answer, that the connection ends. Everything is served. */
  announceDrain(): void;
  /**
   * Asks the peers to open no more calls; each connection is closed when its calls have ended. Where peers learn of it only with an
   * answer, idle ones stay for `lingerMs`, so that a call that is on its way is answered.
   */
  drain(lingerMs: number): void;
  /** What it has seen, where it counts. */
  readonly counters?: Http2Counters;
  /** Cancels every call that is left and ends every connection. */
  abort(reason: CancelReason): void;
}
