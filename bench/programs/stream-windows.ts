import type net from "node:net";
import {
  CLIENT_PREFACE,
  FLAG_ACK,
  readUint31,
  SETTINGS,
  WINDOW_UPDATE,
} from "../../src/http2/frame/frame.ts";
import { createFrameReader, type FrameSink } from "../../src/http2/frame/frame-reader.ts";
import { frame, request, settings, windowUpdate } from "../../test/support/clients/raw-http2-client.ts";

const INITIAL_WINDOW_SETTING = 4;
const INITIAL_WINDOW = 65_535;

/** The frames that a load client begins with: its windows, and the head of one gRPC call on stream 1. */
export function openingFrames(path: string, ownWindow: number): Buffer {
  const fields = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ] as const;
  return Buffer.concat([
    CLIENT_PREFACE,
    frame(SETTINGS, 0, 0, settings([INITIAL_WINDOW_SETTING, ownWindow])),
    windowUpdate(0, ownWindow * 4),
    request(1, { fields, endStream: false }),
  ]);
}

/** The windows of one stream and its connection, kept from the frames that come; octets of its body go to `onBody`. */
export class StreamWindows implements FrameSink {
  readonly readingEnded = false;
  private readonly socket: net.Socket;
  private readonly ownWindow: number;
  private readonly onBody: (bytes: Buffer, start: number, end: number) => void;
  private stream = INITIAL_WINDOW;
  private connection = INITIAL_WINDOW;
  private unreturned = 0;

  constructor(
    socket: net.Socket,
    ownWindow: number,
    onBody: (bytes: Buffer, start: number, end: number) => void,
  ) {
    this.socket = socket;
    this.ownWindow = ownWindow;
    this.onBody = onBody;
  }

  /** Takes `byteCount` from both windows where both have it. */
  take(byteCount: number): boolean {
    if (this.stream < byteCount || this.connection < byteCount) return false;
    this.stream -= byteCount;
    this.connection -= byteCount;
    return true;
  }

  /** A reader of what the server sends. */
  reader(): (chunk: Buffer) => void {
    const read = createFrameReader(this);
    // The reader expects a client's preface, which a server does not send.
    read(CLIENT_PREFACE);
    return read;
  }

  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (type === SETTINGS && (flags & FLAG_ACK) === 0) {
      for (let i = start; i < end; i += 6) {
        if (bytes.readUInt16BE(i) === INITIAL_WINDOW_SETTING)
          this.stream += bytes.readUInt32BE(i + 2) - INITIAL_WINDOW;
      }
      this.socket.write(frame(SETTINGS, FLAG_ACK, 0));
    } else if (type === WINDOW_UPDATE) {
      if (streamId === 0) this.connection += readUint31(bytes, start);
      else this.stream += readUint31(bytes, start);
    }
  }

  /** Returns a quarter of the window at a time. */
  dataBegin(_streamId: number, _flags: number, frameBytes: number): void {
    this.unreturned += frameBytes;
    if (this.unreturned < this.ownWindow / 4) return;
    const { unreturned } = this;
    this.unreturned = 0;
    this.socket.write(Buffer.concat([windowUpdate(0, unreturned), windowUpdate(1, unreturned)]));
  }

  dataPiece(bytes: Buffer, start: number, end: number): void {
    this.onBody(bytes, start, end);
  }
}
