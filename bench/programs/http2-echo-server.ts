/**
 * An echo server for the HTTP/2 benchmarks: the same handler work on Assay's engine or on `node:http2`.
 * Prints its port; at SIGUSR2 prints one JSON line of CPU time (µs) and memory (bytes) since its start.
 * Arguments: --engine assay|node, --window BYTES (stream window; default: the engine's own), --fresh (a fresh buffer for
 * every streamed message).
 */
import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { createHttp2Engine } from "../../src/http2/engine.ts";
import { DEFAULT_LIMITS } from "../../src/http2/limits.ts";
import { headerBlock, type ServerStream } from "../../src/http2/stream.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "assay" },
    window: { type: "string" },
    fresh: { type: "boolean", default: false },
  },
});
const windowBytes = values.window === undefined ? undefined : Number(values.window);

// Beyond a window's worth of messages: the one that waits, the one being read, and what the socket holds.
const SPARE_BUFFERS = 6;
const HEAD = headerBlock([["content-type", "application/grpc"]]);
const TRAILERS = headerBlock([["grpc-status", "0"]]);

/** Unary echo: the whole body, then its copy. */
function echoUnary(stream: ServerStream): void {
  let whole: Uint8Array | undefined;
  stream.onData = (bytes, end) => {
    if (bytes.length > 0) {
      whole = whole === undefined ? Buffer.from(bytes) : Buffer.concat([whole, bytes]);
      stream.consume(bytes.length);
    }
    if (!end) return;
    stream.respond(200, HEAD);
    if (whole !== undefined) stream.write(whole);
    stream.trailers(TRAILERS);
  };
}

/**
 * Joins pieces into gRPC messages with their prefix of five octets: each octet is copied once. Messages lie in a ring of
 * buffers, because fresh ones of hundreds of KiB are what V8's collector then spends its time on, and how much is a
 * matter of chance (see README.md). A buffer's turn comes again after more messages than can be unsent: both handlers
 * stop reading while a write waits, so what follows a message that waits is a window's worth and what the socket holds.
 */
function createMessageReader(onMessage: (message: Buffer) => void): (piece: Uint8Array) => void {
  const prefix = Buffer.alloc(5);
  const ring: Buffer[] = [];
  let turn = 0;
  let message: Buffer = prefix;
  let filled = 0;

  function takeBuffer(length: number): Buffer {
    if (values.fresh) return Buffer.allocUnsafeSlow(length);
    const slots = Math.ceil((windowBytes ?? DEFAULT_LIMITS.maxStreamWindowBytes) / length) + SPARE_BUFFERS;
    turn = (turn + 1) % slots;
    const kept = ring[turn];
    if (kept?.length === length) return kept;
    const made = Buffer.allocUnsafeSlow(length);
    ring[turn] = made;
    return made;
  }

  return (piece) => {
    for (let start = 0; start < piece.length; ) {
      const length = Math.min(message.length - filled, piece.length - start);
      message.set(length === piece.length ? piece : piece.subarray(start, start + length), filled);
      filled += length;
      start += length;
      if (filled < message.length) return;
      if (message === prefix) {
        message = takeBuffer(5 + prefix.readUInt32BE(1));
        message.set(prefix);
        if (message.length > 5) continue;
      }
      onMessage(message);
      message = prefix;
      filled = 0;
    }
  };
}

/** Bidi echo, message by message; while the writer must wait, nothing is consumed. */
function echoStream(stream: ServerStream): void {
  let owed = 0;
  let waits = false;
  stream.respond(200, HEAD);
  stream.onDrain = () => {
    waits = false;
    stream.consume(owed);
    owed = 0;
  };
  const read = createMessageReader((message) => {
    if (!stream.write(message)) waits = true;
  });
  stream.onData = (bytes, end) => {
    read(bytes);
    if (waits) owed += bytes.length;
    else stream.consume(bytes.length);
    if (end) stream.trailers(TRAILERS);
  };
}

function assayServer(): net.Server {
  const limits =
    windowBytes === undefined
      ? {}
      : {
          initialStreamWindowBytes: windowBytes,
          maxStreamWindowBytes: windowBytes,
          initialConnectionWindowBytes: windowBytes * 4,
        };
  const engine = createHttp2Engine({
    handler: (stream) => (stream.path.endsWith("Stream") ? echoStream(stream) : echoUnary(stream)),
    limits,
    onHandlerError: (error) => console.error(error),
  });
  return net.createServer({ noDelay: true }, (socket) => engine.accept(socket));
}

function nodeServer(): http2.Http2Server {
  const server = http2.createServer({
    settings: {
      maxConcurrentStreams: 1000,
      ...(windowBytes === undefined ? {} : { initialWindowSize: windowBytes }),
    },
  });
  if (windowBytes !== undefined) {
    server.on("session", (session) => session.setLocalWindowSize(windowBytes * 4));
  }
  const head = { ":status": 200, "content-type": "application/grpc" };
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.respond(head, { waitForTrailers: true, sendDate: false } as http2.ServerStreamResponseOptions);
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    if (headers[":path"]!.endsWith("Stream")) {
      const read = createMessageReader((message) => {
        if (!stream.write(message)) stream.pause();
      });
      stream.on("drain", () => stream.resume());
      stream.on("data", read);
      stream.on("end", () => stream.end());
      return;
    }
    let whole: Buffer | undefined;
    stream.on("data", (bytes: Buffer) => {
      whole = whole === undefined ? bytes : Buffer.concat([whole, bytes]);
    });
    stream.on("end", () => stream.end(whole));
  });
  return server;
}

const server = values.engine === "node" ? nodeServer() : assayServer();
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
process.on("SIGUSR2", () => {
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ cpuUs: user + system, rssBytes: process.memoryUsage.rss() }));
});
process.on("SIGTERM", () => process.exit(0));
