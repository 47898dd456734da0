import type { Socket } from "node:net";
import { createHttp2Engine } from "../../http2/engine.ts";
import { DEFAULT_LIMITS } from "../../http2/limits.ts";
import type { StreamHandler } from "../../http2/stream.ts";
import type { Log } from "../../telemetry/log.ts";
import { maskedCause } from "../../telemetry/masked-text.ts";
import type { EdgeLimits } from "../call/limits.ts";
import type { MemoryBudget } from "../memory/memory-budget.ts";
import { discardedBytes, MAX_DISCARD_MS } from "../memory/message-limit.ts";
import type { Engine } from "./engine.ts";

/** The connection's window, in streams' windows: a few busy streams do not stop the others. */
const CONNECTION_WINDOWS = 4;
/** What a connection may hold of bodies that nobody reads, in streams' windows. */
const UNREAD_WINDOWS = 16;
/** What all connections together may leave unread, in parts of one; the HTTP/1.1 engine takes as much. */
const ALL_CONNECTIONS = 2;

/** Serves HTTP/2 connections with Assay's own engine, under the edge's limits. */
export function createAssayHttp2Engine(
  limits: EdgeLimits,
  onStream: StreamHandler,
  onHeaderListTooLarge: StreamHandler,
  memory: MemoryBudget,
  log: Log,
): Engine {
  const engine = createHttp2Engine({
    handler: onStream,
    onHeaderListTooLarge,
    limits: {
      maxConcurrentStreams: limits.maxConcurrentStreams,
      maxHeaderListBytes: limits.maxHeaderListBytes,
      maxUnreadBodyBytes: Math.max(
        DEFAULT_LIMITS.maxUnreadBodyBytes,
        limits.streamWindowBytes * UNREAD_WINDOWS,
      ),
      maxDiscardedBytes: discardedBytes(limits.maxMessageBytes),
      maxDiscardMs: MAX_DISCARD_MS,
      maxUnreadAnswerBytes: limits.maxUnreadAnswerBytes,
      maxAllUnreadAnswerBytes: limits.maxUnreadAnswerBytes * ALL_CONNECTIONS,
      stalledResponseMs: limits.unreadTimeoutMs,
      writeTimeoutMs: limits.unreadTimeoutMs,
      maxStreamWindowBytes: limits.streamWindowBytes,
      maxConnectionWindowBytes: limits.streamWindowBytes * CONNECTION_WINDOWS,
      handshakeTimeoutMs: limits.headerTimeoutMs,
      headerBlockTimeoutMs: limits.headerTimeoutMs,
      idleTimeoutMs: limits.idleTimeoutMs,
    },
    onUnreadAnswers: (byteCount) => (byteCount > 0 ? memory.force(byteCount) : memory.give(-byteCount)),
    onHandlerError: (error) => log.error({ cause: maskedCause(error) }, "a stream's handler failed"),
  });
  return {
    counters: engine.counters,
    accept(socket) {
      engine.accept(socket as Socket);
      // It was paused after its first bytes.
      socket.resume();
    },
    announceDrain() {},
    drain: () => void engine.drain(),
    abort: () => void engine.close(),
  };
}
