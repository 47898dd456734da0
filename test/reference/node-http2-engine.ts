import { constants, performServerHandshake, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { EdgeLimits } from "../../src/edge/call/limits.ts";
import type { EngineStream } from "../../src/edge/http1/node-stream.ts";
import type { Engine } from "../../src/edge/listen/engine.ts";
import type { StreamHandler } from "../../src/http2/stream.ts";
import { createNodeHttp2Stream } from "./node-http2-stream.ts";

const MAX_SESSION_MEMORY_MEGABYTES = 256;
const MAX_HEADER_PAIRS = 1000;
const LAST_STREAM_ID = 2 ** 31 - 1;
/** How long a peer may take to answer the PING that follows a GOAWAY. */
const GOAWAY_PING_MS = 1000;

/** Serves HTTP/2 connections with `node:http2`: the reference that Assay's own engine is compared with. */
export function createNodeHttp2Engine(limits: EdgeLimits, onStream: StreamHandler): Engine {
  const sessions = new Map<ServerHttp2Session, Set<EngineStream>>();

  function serve(session: ServerHttp2Session, socket: Socket): void {
    const open = new Set<EngineStream>();
    const context = {
      windowBytes: limits.streamWindowBytes,
      encrypted: "encrypted" in socket,
      remoteAddress: socket.remoteAddress ?? "",
    };
    sessions.set(session, open);
    session.once("close", () => sessions.delete(session));
    // A broken connection ends its streams, and each tells its call; there is nothing else to do.
    session.on("error", () => {});
    session.setTimeout(limits.idleTimeoutMs, () => {
      if (open.size === 0) session.close();
    });
    session.on("stream", (http2, headers, _flags, rawHeaders) => {
      const engineStream = createNodeHttp2Stream(http2, headers, rawHeaders as unknown as string[], context);
      open.add(engineStream);
      http2.once("close", () => open.delete(engineStream));
      onStream(engineStream.stream);
    });
  }

  return {
    accept(duplex) {
      const socket = duplex as Socket;
      // node:http2 never ends its side of a half-closed socket by itself.
      socket.allowHalfOpen = false;
      socket.setNoDelay(true);
      const session = performServerHandshake(socket, {
        maxSessionMemory: MAX_SESSION_MEMORY_MEGABYTES,
        maxHeaderListPairs: MAX_HEADER_PAIRS,
        settings: {
          initialWindowSize: limits.streamWindowBytes,
          maxConcurrentStreams: limits.maxConcurrentStreams,
          maxHeaderListSize: limits.maxHeaderListBytes,
          enablePush: false,
        },
      });
      session.setLocalWindowSize(limits.streamWindowBytes * 4);
      serve(session, socket);
    },
    announceDrain() {},
    drain() {
      for (const session of sessions.keys()) goAway(session);
    },
    abort(reason) {
      for (const [session, open] of sessions) {
        for (const engineStream of open) engineStream.cancel(reason);
        session.destroy();
      }
    },
  };
}

/** Announces the end first, so that what is already on its way is served, and closes one round trip later. */
function goAway(session: ServerHttp2Session): void {
  if (session.destroyed || session.closed) return;
  session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID);
  const timer = setTimeout(() => session.close(), GOAWAY_PING_MS).unref();
  session.ping(() => {
    clearTimeout(timer);
    if (!session.destroyed) session.close();
  });
}
