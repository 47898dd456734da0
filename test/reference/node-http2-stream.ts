import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { fieldList } from "../../src/edge/call/field-list.ts";
import { DataListener, type EngineStream } from "../../src/edge/http1/node-stream.ts";
import type { CancelReason, HeaderBlock, ServerStream } from "../../src/http2/stream.ts";

/** A connection's knowledge of each of its streams. */
export interface Http2Context {
  readonly windowBytes: number;
  readonly encrypted: boolean;
  readonly remoteAddress: string;
}

/** One HTTP/2 stream of `node:http2` as a ServerStream. */
export function createNodeHttp2Stream(
  http2: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  context: Http2Context,
): EngineStream {
  let unconsumed = 0;
  let requestEnded = false;
  let done = false;
  let trailerBlock: HeaderBlock | undefined;

  function take(chunk: Buffer): void {
    if (done) return;
    unconsumed += chunk.length;
    if (unconsumed >= context.windowBytes) http2.pause();
    listener.onData(chunk, false);
  }
  function cancel(reason: CancelReason): void {
    if (done) return;
    done = true;
    stream.onCancel(reason);
  }
  /** What the peer has not sent is not wanted any more; it must learn so, or it waits for its window. */
  function refuseRest(): void {
    if (!requestEnded) setImmediate(() => http2.close(constants.NGHTTP2_NO_ERROR));
  }
  function endResponse(): void {
    done = true;
    http2.end();
  }

  http2.once("end", () => {
    requestEnded = true;
    if (!done) listener.onData(new Uint8Array(0), true);
  });
  http2.on("error", () => cancel({ kind: "reset", code: http2.rstCode }));
  http2.once("close", () => {
    const lost = http2.session === undefined || http2.session.destroyed;
    cancel(lost ? { kind: "connection-lost" } : { kind: "reset", code: http2.rstCode });
  });
  http2.on("drain", () => {
    if (!done) stream.onDrain();
  });
  http2.once("wantTrailers", () => {
    if (http2.destroyed || http2.closed) return;
    http2.sendTrailers(trailerBlock === undefined ? {} : trailerFields(trailerBlock));
    refuseRest();
  });

  const listener = new DataListener(() => {
    if (done) return;
    http2.on("data", take);
    // Whoever serves the stream may listen in a later turn.
    if (requestEnded) queueMicrotask(() => !done && listener.onData(new Uint8Array(0), true));
  });
  const stream: ServerStream = Object.assign(listener, {
    method: headers[":method"] ?? "",
    path: headers[":path"] ?? "",
    authority: headers[":authority"] ?? headers.host ?? "",
    headers: fieldList(rawHeaders),
    httpVersion: 2,
    encrypted: context.encrypted,
    remoteAddress: context.remoteAddress,
    consume(byteCount) {
      unconsumed -= byteCount;
      if (!done && unconsumed < context.windowBytes / 2 && http2.isPaused()) http2.resume();
    },
    onCancel: () => {},
    respond(status, block, end = false) {
      if (done || http2.headersSent || http2.destroyed || http2.closed) return;
      const flat: string[] = [":status", String(status)];
      for (const [name, value] of block.fields) flat.push(name, value);
      http2.respond(flat, end ? { endStream: true } : { waitForTrailers: true });
      if (!end) return;
      done = true;
      refuseRest();
    },
    write(bytes, end = false) {
      if (done || http2.destroyed || http2.closed) return true;
      const ready = bytes.byteLength === 0 || http2.write(bytes);
      if (end) endResponse();
      return ready;
    },
    onDrain: () => {},
    trailers(block) {
      if (done) return;
      trailerBlock = block;
      endResponse();
    },
    reset(code) {
      if (done) return;
      done = true;
      http2.close(code);
    },
  } satisfies Omit<ServerStream, "onData">);
  return { stream, cancel, place: -1 };
}

function trailerFields(block: HeaderBlock): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (const [name, value] of block.fields) {
    const values = fields[name];
    if (values === undefined) fields[name] = [value];
    else values.push(value);
  }
  return fields;
}
