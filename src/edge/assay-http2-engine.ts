import type { Socket } from "node:net";
import { createHttp2Engine } from "../http2/engine.ts";
import type { StreamHandler } from "../http2/stream.ts";
import type { Log } from "../telemetry/log.ts";
import type { Engine } from "./engine.ts";
import type { EdgeLimits } from "./limits.ts";

/** The connection's window, in streams' windows: a few busy streams do not stop the others. */
const CONNECTION_WINDOWS = 4;

/** Serves HTTP/2 connections with Assay's own engine, under the edge's limits. */
export function createAssayHttp2Engine(limits: EdgeLimits, onStream: StreamHandler, log: Log): Engine {
  const engine = createHttp2Engine({
    handler: onStream,
    limits: {
      maxConcurrentStreams: limits.maxConcurrentStreams,
      maxHeaderListBytes: limits.maxHeaderListBytes,
      maxStreamWindowBytes: limits.streamWindowBytes,
      maxConnectionWindowBytes: limits.streamWindowBytes * CONNECTION_WINDOWS,
      handshakeTimeoutMs: limits.headerTimeoutMs,
      headerBlockTimeoutMs: limits.headerTimeoutMs,
      idleTimeoutMs: limits.idleTimeoutMs,
    },
    onHandlerError: (error) => log.error({ cause: String(error) }, "a stream's handler failed"),
  });
  return {
    accept(socket) {
      engine.accept(socket as Socket);
      // It was paused after its first bytes.
      socket.resume();
    },
    drain: () => void engine.drain(),
    abort: () => void engine.close(),
  };
}
