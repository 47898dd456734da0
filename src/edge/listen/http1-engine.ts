import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { StreamHandler } from "../../http2/stream.ts";
import type { EdgeLimits } from "../call/limits.ts";
import type { MemoryBudget } from "../memory/memory-budget.ts";
import { discardedBytes } from "../memory/message-limit.ts";
import type { Engine } from "./engine.ts";
import { closeGently } from "./gentle-close.ts";
import { Http1Connection } from "./http1-connection.ts";
import { createHttp1Stream, type EngineStream } from "./http1-stream.ts";

const SWEEP_MS = 500;
/** What all connections together may leave unread, in parts of one; the HTTP/2 engine takes as much. */
const ALL_CONNECTIONS = 2;
/** How much may be written, in parts of that, before all connections are counted. */
const PART = 8;

/** Serves HTTP/1.1 connections with `node:http`. */
export function createHttp1Engine(limits: EdgeLimits, onStream: StreamHandler, memory: MemoryBudget): Engine {
  const open = new Set<EngineStream>();
  const connections = new Map<Socket, Http1Connection>();
  const maxUnreadBytes = limits.maxUnreadAnswerBytes * ALL_CONNECTIONS;
  let isLastCall = false;
  let isClosing = false;
  let writtenBytes = 0;
  /** What the budget holds for this engine. */
  let countedBytes = 0;
  let sweepTimer: NodeJS.Timeout | undefined;
  let closeTimer: NodeJS.Timeout | undefined;
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

  function checkUnread(): void {
    writtenBytes = 0;
    let sum = 0;
    for (const connection of connections.values()) sum += connection.unreadBytes;
    if (sum > countedBytes) memory.force(sum - countedBytes);
    else if (sum < countedBytes) memory.give(countedBytes - sum);
    countedBytes = sum;
    if (sum <= maxUnreadBytes) return;
    const holders = [...connections.values()].filter(({ unreadBytes }) => unreadBytes > 0);
    holders.sort((a, b) => b.unreadBytes - a.unreadBytes);
    // One alone may be slow with an answer that is larger than the limit.
    for (const connection of holders.slice(0, -1)) {
      if (sum <= maxUnreadBytes) return;
      sum -= connection.unreadBytes;
      connection.socket.destroy();
    }
  }

  function sweep(): void {
    const nowMs = performance.now();
    checkUnread();
    for (const connection of connections.values()) {
      if (nowMs - connection.stalledSince(nowMs) > limits.unreadTimeoutMs) connection.socket.destroy();
      else if (isClosing && connection.isIdle) closeGently(connection.socket);
    }
  }

  /** Who is idle after the time in which clients could have been told is let go; requests that are coming are answered first. */
  function closeIdle(): void {
    isClosing = true;
    sweep();
  }

  function accept(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = connections.get(request.socket);
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
      engineStream = createHttp1Stream(request, response, {
        windowBytes: limits.streamWindowBytes,
        maxDiscardedBytes: discardedBytes(limits.maxMessageBytes),
        closes() {
          if (!isLastCall || !connection.hasOneRequest) return false;
          connection.isLast = true;
          return true;
        },
        written(byteCount) {
          writtenBytes += byteCount;
          if (writtenBytes * PART > maxUnreadBytes) setImmediate(checkUnread);
        },
      });
      open.add(engineStream);
      onStream(engineStream.stream);
      // Who is refused by its head alone need not send its body.
      if (expectsContinue) setImmediate(() => askForBody(response));
    });
  }

  server.on("request", (request, response) => accept(request, response, false));
  server.on("checkContinue", (request, response) => accept(request, response, true));
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    const readSinceMs = connections.get(socket as Socket)?.readSinceMs ?? Number.NEGATIVE_INFINITY;
    // The rest of that header block lay unread because this end did not read it.
    const isOwnFault = performance.now() - readSinceMs < limits.headerTimeoutMs;
    if (isOwnFault && error.code === "ERR_HTTP_REQUEST_TIMEOUT") return;
    refuse(socket as Socket, error, limits);
  });
  // node:http checks its header time-out only on a server that listens; this one is fed by the listener.
  server.emit("listening");
  return {
    accept(duplex) {
      const socket = duplex as Socket;
      server.emit("connection", socket);
      connections.set(socket, new Http1Connection(socket));
      sweepTimer ??= setInterval(sweep, SWEEP_MS).unref();
      socket.once("close", () => {
        connections.delete(socket);
        if (connections.size > 0) return;
        checkUnread();
        clearInterval(sweepTimer);
        sweepTimer = undefined;
      });
      // The first bytes lie in the socket's own buffer, and it was paused after them.
      socket.resume();
    },
    announceDrain() {
      isLastCall = true;
    },
    drain(lingerMs) {
      isLastCall = true;
      closeTimer ??= setTimeout(closeIdle, lingerMs).unref();
    },
    abort(reason) {
      clearTimeout(closeTimer);
      for (const engineStream of open) engineStream.cancel(reason);
      for (const socket of connections.keys()) socket.destroy();
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

function refuse(socket: Socket, error: NodeJS.ErrnoException, limits: EdgeLimits): void {
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
  socket.write(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  closeGently(socket);
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
