import type { IncomingMessage, ServerResponse } from "node:http";
import type { Member } from "../../http2/members.ts";
import type { CancelReason, ServerStream } from "../../http2/stream.ts";
import { limitHit } from "../../limits.ts";
import { fieldList } from "../call/field-list.ts";
import { closeGently } from "../listen/gentle-close.ts";
import { MAX_DISCARD_MS } from "../memory/message-limit.ts";

/** A stream and its engine's way to end it: also when the response has closed. */
export interface EngineStream extends Member {
  readonly stream: ServerStream;
  cancel(reason: CancelReason): void;
}

/** What HTTP/1.1 streams share. */
export interface Http1Context {
  readonly windowBytes: number;
  /** How much of a request is still read after an early answer, so that the peer comes to read the answer. */
  readonly maxDiscardedBytes: number;
  /** Asked when a response begins: whether it is the last of its connection. */
  closes(): boolean;
  /** A part of the response was written that its peer may not have taken. */
  written(byteCount: number): void;
}

/**
 * The `onData` of a stream whose data flow from when somebody listens. A class, because an object literal with accessors would
 * have a hidden class of its own, and V8 would keep stream and request until a full collection.
 */
export class DataListener {
  private handler: ServerStream["onData"] = () => {};
  private readonly begin: () => void;

  /** `begin` is called each time that a listener is set. */
  constructor(begin: () => void) {
    this.begin = begin;
  }

  get onData(): ServerStream["onData"] {
    return this.handler;
  }

  set onData(handler: ServerStream["onData"]) {
    this.handler = handler;
    this.begin();
  }
}

/** How long a peer that was answered may send nothing of the rest of its request. */
const QUIET_MS = 5000;

/** One HTTP/1.1 exchange over `node:http` as a ServerStream. */
export function createNodeStream(
  request: IncomingMessage,
  response: ServerResponse,
  context: Http1Context,
): EngineStream {
  const { socket } = request;
  const encrypted = "encrypted" in socket;
  const target = requestTarget(request.url ?? "", request.headers.host ?? "");
  const remoteAddress = socket.remoteAddress ?? "";
  let unconsumed = 0;
  let requestEnded = false;
  let done = false;

  function take(chunk: Buffer): void {
    unconsumed += chunk.length;
    if (unconsumed >= context.windowBytes) request.pause();
    listener.onData(chunk, false);
  }
  function takeEnd(): void {
    requestEnded = true;
    if (!done) listener.onData(new Uint8Array(0), true);
  }
  function cancel(reason: CancelReason): void {
    if (done) return;
    done = true;
    stream.onCancel(reason);
  }
  function finish(): void {
    done = true;
    if (!requestEnded) discardRest(request, take, context.maxDiscardedBytes);
  }

  request.once("end", takeEnd);
  request.on("error", () => cancel({ kind: "connection-lost" }));
  response.on("error", () => cancel({ kind: "connection-lost" }));
  response.on("drain", () => {
    if (!done) stream.onDrain();
  });

  const listener = new DataListener(() => {
    if (!done) request.on("data", take);
  });
  const stream: ServerStream = Object.assign(listener, {
    method: request.method ?? "",
    path: target.path,
    authority: target.authority,
    headers: fieldList(request.rawHeaders),
    httpVersion: 1,
    encrypted,
    remoteAddress,
    connection: socket,
    caller: undefined,
    consume(byteCount) {
      unconsumed -= byteCount;
      if (!done && unconsumed < context.windowBytes / 2 && request.isPaused()) request.resume();
    },
    onCancel: () => {},
    respond(status, headers, end = false) {
      if (done || response.headersSent) return;
      if (context.closes()) response.shouldKeepAlive = false;
      const flat: string[] = [];
      for (const [name, value] of headers.fields) flat.push(name, value);
      response.writeHead(status, flat);
      if (end) {
        response.end();
        finish();
      } else {
        // One packet where a body follows at once; alone where the handler waits with it.
        process.nextTick(() => {
          if (!done) response.flushHeaders();
        });
      }
    },
    write(bytes, end = false) {
      if (done) return true;
      const ready = bytes.byteLength === 0 || response.write(bytes);
      if (!ready) context.written(bytes.byteLength);
      if (end) {
        response.end();
        finish();
      }
      return ready;
    },
    onDrain: () => {},
    trailers(headers) {
      if (done) return;
      response.addTrailers(headers.fields.map(([name, value]): [string, string] => [name, value]));
      response.end();
      finish();
    },
    reset() {
      if (done) return;
      done = true;
      socket.destroy();
    },
  } satisfies Omit<ServerStream, "onData">);
  return { stream, cancel, place: -1 };
}

function discardRest(request: IncomingMessage, take: (chunk: Buffer) => void, maxBytes: number): void {
  const { socket } = request;
  const untilMs = performance.now() + MAX_DISCARD_MS;
  let discarded = 0;
  let seen = 0;
  const timer = setInterval(() => {
    const isLate = performance.now() >= untilMs;
    if (isLate) limitHit("discarded-body");
    if (isLate || discarded === seen) stop();
    seen = discarded;
  }, QUIET_MS).unref();
  const stop = (): void => {
    clearInterval(timer);
    closeGently(socket);
  };
  request.off("data", take);
  request.on("data", (chunk: Buffer) => {
    const before = discarded;
    discarded += chunk.length;
    if (before > maxBytes || discarded <= maxBytes) return;
    limitHit("discarded-body");
    stop();
  });
  request.once("close", () => clearInterval(timer));
  request.resume();
}

/** Where a request goes. */
export interface RequestTarget {
  /** Path with its query. */
  readonly path: string;
  readonly authority: string;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i;

/**
 * Reads the target of an HTTP/1.1 request line. Servers take the absolute form too (`GET http://host/path`), and its authority counts
 * then, not the Host field's (RFC 9112, 3.2.2).
 */
export function requestTarget(target: string, host: string): RequestTarget {
  if (target.startsWith("/")) return { path: target, authority: host };
  const absolute = ABSOLUTE.exec(target);
  if (absolute === null) return { path: target, authority: host };
  const [, authority = "", rest = ""] = absolute;
  return { path: rest.startsWith("/") ? rest : `/${rest}`, authority };
}
