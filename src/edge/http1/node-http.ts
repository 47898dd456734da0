import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Members } from "../../http2/members.ts";
import type { CancelReason, StreamHandler } from "../../http2/stream.ts";
import { limitHit } from "../../limits.ts";
import type { EdgeLimits } from "../call/limits.ts";
import { discardedBytes } from "../memory/message-limit.ts";
import { NodeConnection } from "./node-connection.ts";
import { createNodeStream, type EngineStream } from "./node-stream.ts";
import { refuseRequest } from "./request-refusal.ts";

/** What it asks of the engine that it is a part of. */
export interface NodeHttpContext {
  readonly limits: EdgeLimits;
  readonly onStream: StreamHandler;
  connectionOf(socket: Socket): NodeConnection | undefined;
  /** Whether answers end their connections from now on. */
  isLastCall(): boolean;
  /** A part of an answer was written that its peer may not have taken. */
  written(byteCount: number): void;
}

/** `node:http`, fed with sockets; whoever made it ends it. */
export interface NodeHttp {
  /** Takes a paused socket whose first octets lie unread in it; whoever calls resumes it. */
  accept(socket: Socket): NodeConnection;
  /** Cancels every call. */
  abort(reason: CancelReason): void;
}

/** Makes it; it listens to no port. */
export function createNodeHttp(context: NodeHttpContext): NodeHttp {
  const { limits, onStream } = context;
  const open = new Members<EngineStream>();
  const server = createServer({
    maxHeaderSize: limits.maxHeaderListBytes,
    headersTimeout: limits.headerTimeoutMs,
    // A stream's body may take as long as its call; the call's own duties bound it.
    requestTimeout: 0,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, Math.ceil(limits.headerTimeoutMs / 4)),
    noDelay: true,
    // Refused below, in words.
    requireHostHeader: false,
  });

  function accept(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = context.connectionOf(request.socket);
    // What follows a response that closes is not served: its sender was told, or will see that no answer came.
    if (connection === undefined || connection.isLast) return;
    const hostFault = faultOfHost(request);
    let engineStream: EngineStream | undefined;
    // One listener for all: each costs every request.
    response.once("close", () => {
      engineStream?.cancel({ kind: "connection-lost" });
      if (engineStream !== undefined) open.delete(engineStream);
      connection.ended(response);
    });
    connection.add(response, () => {
      if (hostFault !== undefined) {
        response.writeHead(400, { "content-type": "application/json", connection: "close" });
        response.end(JSON.stringify({ code: "invalid_argument", message: hostFault }));
        return;
      }
      engineStream = createNodeStream(request, response, {
        windowBytes: limits.streamWindowBytes,
        maxDiscardedBytes: discardedBytes(limits.maxMessageBytes),
        closes() {
          if (!context.isLastCall() || !connection.hasOneRequest) return false;
          connection.isLast = true;
          return true;
        },
        written: context.written,
      });
      open.add(engineStream);
      onStream(engineStream.stream);
      // Who is refused by its head alone need not send its body.
      if (expectsContinue) setImmediate(() => askForBody(response));
    });
  }

  server.on("request", (request, response) => accept(request, response, false));
  // Of node:http's times the one for idle connections alone ends in this.
  server.on("timeout", (socket) => {
    limitHit("idle-timeout-ms");
    socket.destroy();
  });
  server.on("checkContinue", (request, response) => accept(request, response, true));
  server.on("clientError", (error: NodeJS.ErrnoException, duplex: Duplex) => {
    const socket = duplex as Socket;
    const connection = context.connectionOf(socket);
    const readSinceMs = connection?.readSinceMs ?? Number.NEGATIVE_INFINITY;
    // The rest of that header block lay unread because this end did not read it.
    const isOwnFault = performance.now() - readSinceMs < limits.headerTimeoutMs;
    if (isOwnFault && error.code === "ERR_HTTP_REQUEST_TIMEOUT") return;
    const refuse = (): void => {
      const response = (socket as { _httpMessage?: ServerResponse })._httpMessage;
      refuseRequest(socket, error, response?.headersSent === true, limits);
    };
    if (connection === undefined || !socket.writable) refuse();
    else connection.faulted(refuse);
  });
  // node:http checks its header time-out only on a server that listens; this one is fed by the listener.
  server.emit("listening");
  return {
    accept(socket) {
      server.emit("connection", socket);
      return new NodeConnection(socket);
    },
    abort(reason) {
      for (const engineStream of open) engineStream.cancel(reason);
      server.close(() => {});
      server.emit("close");
    },
  };
}

/** Whom a request is meant for is told once, or a proxy before this server may have read the other (RFC 9112, 3.2). */
function faultOfHost({ rawHeaders, httpVersion }: IncomingMessage): string | undefined {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === 4 && name.toLowerCase() === "host") count++;
  }
  if (count === 1 || (count === 0 && httpVersion !== "1.1")) return undefined;
  const came = count === 0 ? "has no Host field" : `has ${count} Host fields`;
  return `malformed HTTP/1.1 request: it ${came}; exactly one is expected`;
}

/** What a client waits for that sent `expect: 100-continue` (RFC 9110, 10.1.1). */
function askForBody(response: ServerResponse): void {
  if (!response.headersSent && !response.destroyed) response.writeContinue();
}
