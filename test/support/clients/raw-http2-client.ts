/**
 * An HTTP/2 client that does exactly what a test says, right or wrong: frames out, frames in. It acknowledges
 * nothing and keeps no window of its own.
 */
import { once } from "node:events";
import net from "node:net";
import { ConnectionError } from "../../../src/http2/frame/error-code.ts";
import {
  CLIENT_PREFACE,
  CONTINUATION,
  DATA,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FRAME_HEADER_BYTES,
  GOAWAY,
  HEADERS,
  RST_STREAM,
  readUint24,
  readUint31,
  SETTINGS,
  WINDOW_UPDATE,
  writeFrameHeader,
} from "../../../src/http2/frame/frame.ts";
import { HpackDecoder } from "../../../src/http2/hpack/hpack-decoder.ts";
import { encodeFields } from "../../../src/http2/hpack/hpack-encoder.ts";

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** The octets of one frame; `length` overrides the true one. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
  length = payload.length,
): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(bytes, 0, length, type, flags, streamId);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A SETTINGS payload. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  return Buffer.concat(
    pairs.map(([id, value]) => Buffer.concat([Buffer.of(id >> 8, id & 0xff), uint32(value)])),
  );
}

export const REQUEST: readonly (readonly [string, string])[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/echo"],
  [":authority", "localhost"],
];

/** HEADERS of a request, by default complete and without a body. */
export function request(
  streamId: number,
  options: { fields?: readonly (readonly [string, string])[]; endStream?: boolean } = {},
): Buffer {
  const flags = FLAG_END_HEADERS | ((options.endStream ?? true) ? FLAG_END_STREAM : 0);
  return frame(HEADERS, flags, streamId, encodeFields(options.fields ?? REQUEST));
}

export function data(streamId: number, body: Uint8Array, endStream = false): Buffer {
  return frame(DATA, endStream ? FLAG_END_STREAM : 0, streamId, body);
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return frame(WINDOW_UPDATE, 0, streamId, uint32(increment));
}

export function reset(streamId: number, code: number): Buffer {
  return frame(RST_STREAM, 0, streamId, uint32(code));
}

/** A connection under a test's control; `close` ends it. */
export class RawHttp2Client {
  readonly socket: net.Socket;
  /** Frames that came and were not yet taken by `next`. */
  readonly frames: Frame[] = [];
  closed = false;
  private readonly decoder = new HpackDecoder(4096);
  private buffered = Buffer.alloc(0);
  private wake: () => void = () => {};

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.take(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      this.wake();
    });
  }

  /** Connects, without a word. */
  static async connect(port: number): Promise<RawHttp2Client> {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new RawHttp2Client(socket);
  }

  /** Connects, sends preface and SETTINGS, and acknowledges the server's. */
  static async open(port: number, payload: Buffer = Buffer.alloc(0)): Promise<RawHttp2Client> {
    const client = await RawHttp2Client.connect(port);
    client.send(CLIENT_PREFACE, frame(SETTINGS, 0, 0, payload), frame(SETTINGS, FLAG_ACK, 0));
    await client.next((f) => f.type === SETTINGS && (f.flags & FLAG_ACK) === 0);
    await client.next((f) => f.type === SETTINGS && (f.flags & FLAG_ACK) !== 0);
    return client;
  }

  /** Sends frames in one write. */
  send(...frames: readonly Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  /** The next frame that `wanted` accepts; others before it are dropped. Throws when the connection closes first. */
  async next(wanted: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      for (let f = this.frames.shift(); f !== undefined; f = this.frames.shift()) {
        if (wanted(f)) return f;
      }
      if (this.closed) throw new Error("the connection closed before the frame came");
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** The GOAWAY with an error code that ends the connection, then waits for the close. */
  async goaway(): Promise<{ lastStreamId: number; code: number; reason: string }> {
    const { payload } = await this.next((f) => f.type === GOAWAY);
    return {
      lastStreamId: readUint31(payload, 0),
      code: payload.readUInt32BE(4),
      reason: payload.toString("utf8", 8),
    };
  }

  /** The whole response on a stream: fields, body, trailers; or the code of its reset. */
  async response(streamId: number): Promise<{
    fields: Map<string, string>;
    trailers: Map<string, string>;
    body: Buffer;
    resetCode?: number;
  }> {
    const fields = new Map<string, string>();
    const trailers = new Map<string, string>();
    const body: Buffer[] = [];
    for (let blocks = 0; ; ) {
      const f = await this.next((other) => other.streamId === streamId);
      if (f.type === RST_STREAM) {
        return { fields, trailers, body: Buffer.concat(body), resetCode: f.payload.readUInt32BE(0) };
      }
      if (f.type === DATA) body.push(f.payload);
      if (f.type === HEADERS) {
        const decoded = this.decoder.decode(f.payload, 0, f.payload.length, 1 << 20);
        const target = blocks++ === 0 ? fields : trailers;
        for (const [i, name] of decoded.names.entries()) target.set(name, decoded.values[i]!);
      }
      if ((f.type === DATA || f.type === HEADERS) && (f.flags & FLAG_END_STREAM) !== 0) {
        return { fields, trailers, body: Buffer.concat(body) };
      }
    }
  }

  async untilClosed(): Promise<void> {
    if (!this.closed) await once(this.socket, "close");
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.untilClosed();
  }

  private take(chunk: Buffer): void {
    this.buffered = Buffer.concat([this.buffered, chunk]);
    for (;;) {
      if (this.buffered.length < FRAME_HEADER_BYTES) break;
      const length = readUint24(this.buffered, 0);
      if (length > 1 << 24) throw new ConnectionError(6, "too long");
      const end = FRAME_HEADER_BYTES + length;
      if (this.buffered.length < end) break;
      this.frames.push({
        type: this.buffered[3]!,
        flags: this.buffered[4]!,
        streamId: readUint31(this.buffered, 5),
        payload: this.buffered.subarray(FRAME_HEADER_BYTES, end),
      });
      this.buffered = this.buffered.subarray(end);
    }
    this.wake();
  }
}

/** Cuts a header block into HEADERS and CONTINUATION frames of `size` octets. */
export function fragmented(streamId: number, block: Buffer, size: number, endStream = true): Buffer[] {
  const frames: Buffer[] = [];
  for (let start = 0; start < block.length || start === 0; start += size) {
    const last = start + size >= block.length;
    const flags = (last ? FLAG_END_HEADERS : 0) | (start === 0 && endStream ? FLAG_END_STREAM : 0);
    frames.push(
      frame(start === 0 ? HEADERS : CONTINUATION, flags, streamId, block.subarray(start, start + size)),
    );
  }
  return frames;
}
