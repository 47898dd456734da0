/**
 * A lean client of HTTP/2 for calls that are all alike. Comes in: encoded heads and bodies. Goes out: what the server answers, to one
 * listener a stream. Promises: flow control both ways; a server that drains (GOAWAY) answers what it has; nothing is pushed.
 */
import type { Socket } from "node:net";
import {
  CLIENT_PREFACE,
  CONTINUATION,
  DEFAULT_WINDOW_BYTES,
  FLAG_ACK,
  FLAG_END_STREAM,
  GOAWAY,
  HEADERS,
  MAX_STREAM_ID,
  PING,
  RST_STREAM,
  readUint31,
  readUint32,
  SETTINGS,
  WINDOW_UPDATE,
  writeUint32,
} from "../../http2/frame/frame.ts";
import { createFrameReader, type FrameSink } from "../../http2/frame/frame-reader.ts";
import { HeaderAssembly } from "../../http2/frame/header-assembly.ts";
import {
  applySettings,
  DEFAULT_HEADER_TABLE_BYTES,
  initialPeerSettings,
} from "../../http2/frame/settings.ts";
import { HeaderBlockCache } from "../../http2/hpack/header-block-cache.ts";
import { type DecodedFields, HpackDecoder } from "../../http2/hpack/hpack-decoder.ts";
import { FrameOutput, type SendWindow } from "./frame-output.ts";

/** What happens on a stream. */
export interface StreamListener {
  /** The head, and fields behind the body. */
  onFields(fields: DecodedFields): void;
  /** A view of a chunk that is not used again. */
  onData(bytes: Buffer): void;
  /** The server's end; nothing more comes. */
  onEnd(): void;
  /** The stream, or the connection, ended before the server's end. */
  onBroken(why: string): void;
}

/** What a client tells of its connection. */
export interface ClientHandlers {
  /** No stream can be opened any more, and why; those that are open may still be answered. */
  onAway(why: string): void;
}

interface ClientStream extends SendWindow {
  readonly listener: StreamListener;
  /** Octets that came and whose window was not given back. */
  taken: number;
}

const STREAM_WINDOW_BYTES = 8_388_608;
const CONNECTION_WINDOW_BYTES = 67_108_864;
const MAX_FIELDS_BYTES = 262_144;
const ASSEMBLY = { maxHeaderBlockBytes: MAX_FIELDS_BYTES, maxContinuationFrames: 32 };
const MAX_CONCURRENT_STREAMS = 3;
const CANCEL = 8;
const MOST_DEBUG_BYTES = 300;
const SETTINGS_TIMEOUT_MS = 10_000;

/** Opens the protocol on a connected socket, and waits for the server's SETTINGS. Rejects where it speaks no HTTP/2. */
export async function openHttp2(socket: Socket, handlers: ClientHandlers): Promise<Http2Client> {
  const client = new Http2Client(socket, handlers);
  const timer = setTimeout(() => client.end("no SETTINGS came: it speaks no HTTP/2"), SETTINGS_TIMEOUT_MS);
  try {
    await client.ready;
  } finally {
    clearTimeout(timer);
  }
  return client;
}

/** One connection; whoever opened it closes it. */
export class Http2Client implements FrameSink {
  readingEnded = false;
  /** Resolves with the server's first SETTINGS; rejects where the connection ends without. */
  readonly ready: Promise<void>;
  /** The most streams that the server takes at a time. */
  mostStreams = Number.POSITIVE_INFINITY;
  private readonly socket: Socket;
  private readonly handlers: ClientHandlers;
  private readonly output: FrameOutput;
  private readonly streams = new Map<number, ClientStream>();
  private readonly assembly = new HeaderAssembly(ASSEMBLY);
  private readonly decoder = new HpackDecoder(DEFAULT_HEADER_TABLE_BYTES);
  private readonly decoded = new HeaderBlockCache<DecodedFields>();
  private settings = initialPeerSettings();
  private nextId = 1;
  private isAway = false;
  /** Of the DATA frame that is passing through. */
  private dataStream: ClientStream | undefined;
  private taken = 0;
  private gotSettings: () => void = nothing;
  private noSettings: (error: Error) => void = nothing;

  constructor(socket: Socket, handlers: ClientHandlers) {
    this.socket = socket;
    this.handlers = handlers;
    this.output = new FrameOutput(socket);
    this.ready = new Promise((resolve, reject) => {
      this.gotSettings = resolve;
      this.noSettings = reject;
    });
    const read = createFrameReader(this);
    // The reader is a server's, and a client's preface opens what it reads.
    read(CLIENT_PREFACE);
    socket.on("data", (chunk: Buffer) => {
      try {
        read(chunk);
      } catch (error) {
        this.end((error as Error).message);
      }
    });
    socket.on("error", (error: NodeJS.ErrnoException) => this.end(error.code ?? error.message));
    socket.on("close", () => this.end("it was closed"));
    socket.write(opening());
  }

  get openStreams(): number {
    return this.streams.size;
  }

  /** Opens a stream by an encoded head; it stays the caller's until the listener is told of its end. */
  open(head: Uint8Array, listener: StreamListener): number {
    const streamId = this.nextId;
    this.nextId += 2;
    const bytes = this.settings.initialWindowBytes;
    this.streams.set(streamId, { streamId, listener, bytes, waiting: 0, isOpen: true, taken: 0 });
    this.output.head(streamId, head);
    if (this.nextId > MAX_STREAM_ID) this.away("it has no number for another stream");
    return streamId;
  }

  /** Sends a piece of a body, which must not change any more. */
  send(streamId: number, bytes: Uint8Array, end: boolean): void {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) this.output.data(stream, bytes, end);
  }

  /** Gives a stream up; its listener is told nothing. */
  cancel(streamId: number): void {
    if (this.forget(streamId) === undefined) return;
    this.output.frame(RST_STREAM, 0, streamId, uint32(CANCEL));
    this.closeIfDone();
  }

  /** Ends the connection; its streams are broken. */
  end(why: string): void {
    if (this.readingEnded) return;
    this.readingEnded = true;
    this.socket.destroy();
    this.noSettings(new Error(why));
    this.away(why);
    for (const stream of [...this.streams.values()]) {
      this.forget(stream.streamId);
      stream.listener.onBroken(`the connection was lost (${why})`);
    }
  }

  /** Ends it without a word to anybody. */
  destroy(): void {
    this.isAway = true;
    for (const stream of this.streams.values()) stream.isOpen = false;
    this.streams.clear();
    this.end("");
  }

  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case HEADERS:
        if (this.assembly.headers(flags, streamId, bytes, start, end)) this.fields();
        return;
      case CONTINUATION:
        if (this.assembly.continuation(flags, streamId, bytes, start, end)) this.fields();
        return;
      case SETTINGS:
        if ((flags & FLAG_ACK) === 0) this.applySettings(bytes, start, end);
        return;
      case PING:
        if ((flags & FLAG_ACK) === 0) this.output.frame(PING, FLAG_ACK, 0, bytes.subarray(start, end));
        return;
      case WINDOW_UPDATE:
        this.grow(streamId, readUint31(bytes, start));
        return;
      case RST_STREAM: {
        const stream = this.forget(streamId);
        stream?.listener.onBroken(`the stream was reset with code ${readUint32(bytes, start)}`);
        this.closeIfDone();
        return;
      }
      case GOAWAY:
        this.goAway(readUint31(bytes, start), readUint32(bytes, start + 4), bytes.subarray(start + 8, end));
        return;
    }
  }

  dataBegin(streamId: number, flags: number, frameBytes: number): void {
    const stream = this.streams.get(streamId);
    this.dataStream = stream;
    this.taken += frameBytes;
    if (this.taken > CONNECTION_WINDOW_BYTES / 2) {
      this.output.frame(WINDOW_UPDATE, 0, 0, uint32(this.taken));
      this.taken = 0;
    }
    if (stream === undefined || (flags & FLAG_END_STREAM) !== 0) return;
    stream.taken += frameBytes;
    if (stream.taken <= STREAM_WINDOW_BYTES / 2) return;
    this.output.frame(WINDOW_UPDATE, 0, streamId, uint32(stream.taken));
    stream.taken = 0;
  }

  dataPiece(bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const stream = this.dataStream;
    // What comes for a stream that was given up is thrown away.
    if (stream === undefined || !stream.isOpen) return;
    if (end > start) stream.listener.onData(bytes.subarray(start, end));
    if (endStream) this.finish(stream.streamId);
  }

  private fields(): void {
    const { assembly, decoder, decoded } = this;
    const { bytes, start, end, streamId, endStream } = assembly;
    const { generation } = decoder;
    let fields = decoded.find(bytes, start, end, generation);
    if (fields === undefined) {
      fields = decoder.decode(bytes, start, end, MAX_FIELDS_BYTES);
      if (decoder.generation === generation) decoded.keep(bytes, start, end, generation, fields);
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) return;
    stream.listener.onFields(fields);
    if (endStream) this.finish(streamId);
  }

  private finish(streamId: number): void {
    const stream = this.forget(streamId);
    stream?.listener.onEnd();
    this.closeIfDone();
  }

  private forget(streamId: number): ClientStream | undefined {
    const stream = this.streams.get(streamId);
    if (stream === undefined) return undefined;
    this.streams.delete(streamId);
    stream.isOpen = false;
    return stream;
  }

  private applySettings(bytes: Buffer, start: number, end: number): void {
    const before = this.settings.initialWindowBytes;
    this.settings = applySettings(this.settings, bytes, start, end);
    for (let i = start; i < end; i += 6) {
      if (bytes.readUInt16BE(i) === MAX_CONCURRENT_STREAMS) this.mostStreams = readUint32(bytes, i + 2);
    }
    const more = this.settings.initialWindowBytes - before;
    for (const stream of this.streams.values()) stream.bytes += more;
    this.output.frame(SETTINGS, FLAG_ACK, 0, NO_BYTES);
    this.gotSettings();
    this.output.resume();
  }

  private grow(streamId: number, bytes: number): void {
    if (streamId === 0) {
      this.output.grow(bytes);
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) return;
    stream.bytes += bytes;
    if (stream.waiting > 0) this.output.resume();
  }

  private goAway(lastId: number, code: number, debug: Buffer): void {
    const text = debug.toString("latin1", 0, MOST_DEBUG_BYTES).replace(/[^ -~]/g, "");
    const why = `the server ends the connection (GOAWAY with code ${code}${text === "" ? "" : `: ${text}`})`;
    this.noSettings(new Error(why));
    this.away(why);
    for (const stream of [...this.streams.values()]) {
      if (stream.streamId <= lastId) continue;
      this.forget(stream.streamId);
      stream.listener.onBroken(why);
    }
    this.closeIfDone();
  }

  private away(why: string): void {
    if (this.isAway) return;
    this.isAway = true;
    this.handlers.onAway(why);
  }

  private closeIfDone(): void {
    if (this.isAway && this.streams.size === 0) this.end("");
  }
}

const NO_BYTES = Buffer.alloc(0);

/** The preface, SETTINGS (no push, large windows) and the connection's window. */
function opening(): Buffer {
  const settings = Buffer.from([0, 2, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
  writeUint32(settings, 8, STREAM_WINDOW_BYTES);
  const more = uint32(CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES);
  return Buffer.concat([
    CLIENT_PREFACE,
    Buffer.from([0, 0, settings.length, SETTINGS, 0, 0, 0, 0, 0]),
    settings,
    Buffer.from([0, 0, more.length, WINDOW_UPDATE, 0, 0, 0, 0, 0]),
    more,
  ]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  writeUint32(bytes, 0, value);
  return bytes;
}

function nothing(): void {}
