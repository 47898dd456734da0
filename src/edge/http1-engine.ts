import { createServer, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { StreamHandler } from "../http2/stream.ts";
import type { Engine } from "./engine.ts";
import { createHttp1Stream, type EngineStream } from "./http1-stream.ts";
import type { EdgeLimits } from "./limits.ts";

/** Serves HTTP/1.1 connections with `node:http`. */
export function createHttp1Engine(limits: EdgeLimits, onStream: StreamHandler): Engine {
  const open = new Set<EngineStream>();
  const sockets = new Set<Duplex>();
  let draining = false;
  const context = { windowBytes: limits.streamWindowBytes, closing: () => draining };
  const server = createServer({
    maxHeaderSize: limits.maxHeaderListBytes,
    headersTimeout: limits.headerTimeoutMs,
    // A stream's body may take as long as its call; the call's own duties bound it.
    requestTimeout: 0,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, Math.ceil(limits.headerTimeoutMs / 4)),
    noDelay: true,
  });
  server.on("request", (request, response) => {
    const engineStream = createHttp1Stream(request, response, context);
    open.add(engineStream);
    response.once("close", () => open.delete(engineStream));
    onStream(engineStream.stream);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    refuse(socket, error, limits);
  });
  // node:http checks its header time-out only on a server that listens; this one is fed by the listener.
  server.emit("listening");
  return {
    accept(socket) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      server.emit("connection", socket);
      // The first bytes lie in the socket's own buffer, and it was paused after them.
      socket.resume();
    },
    drain() {
      draining = true;
      server.closeIdleConnections();
    },
    abort(reason) {
      for (const engineStream of open) engineStream.cancel(reason);
      for (const socket of sockets) socket.destroy();
      server.close(() => {});
      server.emit("close");
    },
  };
}

function refuse(socket: Duplex, error: NodeJS.ErrnoException, limits: EdgeLimits): void {
  const response = (socket as { _httpMessage?: ServerResponse })._httpMessage;
  if (!socket.writable || error.code === "ECONNRESET" || response?.headersSent) {
    socket.destroy();
    return;
  }
  const { status, message } = refusal(error, limits);
  const body = JSON.stringify({
    code: status.startsWith("400") ? "invalid_argument" : "resource_exhausted",
    message,
  });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function refusal(error: NodeJS.ErrnoException, limits: EdgeLimits): { status: string; message: string } {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return {
        status: "431 Request Header Fields Too Large",
        message: `the request's header list is larger than ${limits.maxHeaderListBytes} bytes (max-header-list-bytes)`,
      };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return {
        status: "408 Request Timeout",
        message: `the request's header block did not come within ${limits.headerTimeoutMs} ms (header-timeout-ms)`,
      };
    default:
      return { status: "400 Bad Request", message: `malformed HTTP/1.1 request: ${error.message}` };
  }
}
