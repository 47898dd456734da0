/**
 * The HTTP/2 server engine. Comes in: sockets, cleartext or TLS, on which the peer speaks HTTP/2. Goes out: one
 * `ServerStream` a request. Promises: bounded in every direction (`limits.ts`, `defence.ts`), graceful drain, and a
 * timer that gives up on peers which stop answering; `close` ends all that is open. Imports nothing else of Assay.
 */

import type { Socket } from "node:net";
import { Connection } from "./connection/connection.ts";
import type { ConnectionContext } from "./connection/connection-context.ts";
import { createCounters, type Http2Counters } from "./connection/counters.ts";
import { startDrain } from "./connection/drain.ts";
import { createSweep, sweepsOf } from "./connection/sweep.ts";
import { DEFAULT_LIMITS, type Http2Limits } from "./limits.ts";
import { Members } from "./members.ts";
import type { StreamHandler } from "./stream.ts";
import { UnreadAnswers } from "./streams/unread-answers.ts";

/** What an engine is made with. */
export interface Http2EngineOptions {
  /** Serves each stream; called as soon as its header block is complete. */
  readonly handler: StreamHandler;
  /**
   * Answers a request whose header list is larger than `maxHeaderListBytes`, at once; it has the fields that fit, and its content type.
   * Without it the answer is 431.
   */
  readonly onHeaderListTooLarge?: StreamHandler;
  /** Overrides of DEFAULT_LIMITS. */
  readonly limits?: Partial<Http2Limits>;
  /** Told of octets of answers that begin to wait for their peers, and, as a negative number, of those that were taken or dropped. */
  readonly onUnreadAnswers?: (byteCount: number) => void;
  /** Told what a handler or one of its callbacks threw; the stream has been reset with INTERNAL_ERROR. */
  readonly onHandlerError?: (error: unknown) => void;
}

/** Serves connections; whoever made it closes it. */
export interface Http2Engine {
  /** Live counters of all connections so far. */
  readonly counters: Http2Counters;
  /** Octets of answers that no peer has taken. */
  readonly unreadAnswerBytes: number;
  /** Streams that are open now. */
  readonly openStreams: number;
  /**
   * Takes over a connected socket whose next bytes are `initialBytes` and then what it reads: the client's preface.
   * The engine owns the socket from here on and destroys it; bytes that were unshifted onto it need not be passed.
   */
  accept(socket: Socket, initialBytes?: Buffer): void;
  /** Ends gracefully: GOAWAY twice (RFC 9113 section 6.8), then each connection when its streams have ended. */
  drain(): Promise<void>;
  /** Ends what is still open at once; handlers hear `drain-limit`. Settles when every socket is closed. */
  close(): Promise<void>;
}

/** Makes an engine; its caller closes it. */
export function createHttp2Engine(options: Http2EngineOptions): Http2Engine {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const counters = createCounters();
  const connections = new Members<Connection>();
  let waiters: (() => void)[] = [];
  let draining = false;
  const context: ConnectionContext = {
    handler: options.handler,
    onHeaderListTooLarge: options.onHeaderListTooLarge,
    limits,
    counters,
    clock: { sweeps: 0 },
    rapidSweeps: sweepsOf(limits.rapidResetMs),
    unreadAnswers: new UnreadAnswers(connections, limits.maxAllUnreadAnswerBytes),
    onHandlerError: options.onHandlerError ?? (() => {}),
    onUnreadAnswers: options.onUnreadAnswers ?? (() => {}),
  };
  const sweep = createSweep(connections, context);
  const onClose = (connection: Connection) => {
    connections.delete(connection);
    counters.connectionsOpen--;
    if (connections.size > 0) return;
    sweep.stop();
    for (const resolve of waiters) resolve();
    waiters = [];
  };
  const allClosed = () =>
    connections.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => waiters.push(resolve));

  return {
    counters,
    get unreadAnswerBytes() {
      return context.unreadAnswers.bytes;
    },
    get openStreams() {
      let count = 0;
      for (const connection of connections) count += connection.streams.size;
      return count;
    },
    accept(socket, initialBytes) {
      if (socket.destroyed) return;
      const connection = new Connection(socket, context, onClose);
      connections.add(connection);
      counters.connectionsAccepted++;
      counters.connectionsOpen++;
      sweep.start();
      if (initialBytes !== undefined && initialBytes.length > 0) connection.take(initialBytes);
      if (draining) startDrain(connection);
    },
    drain() {
      draining = true;
      for (const connection of connections) startDrain(connection);
      return allClosed();
    },
    close() {
      draining = true;
      for (const connection of connections) connection.cancel();
      return allClosed();
    },
  };
}
