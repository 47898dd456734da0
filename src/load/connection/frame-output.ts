import type { Socket } from "node:net";
import {
  DATA,
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FRAME_HEADER_BYTES,
  HEADERS,
  writeFrameHeader,
} from "../../http2/frame/frame.ts";

const SLAB_BYTES = 262_144;

/** A stream's side of flow control. */
export interface SendWindow {
  readonly streamId: number;
  /** May fall below 0 where the peer makes its windows smaller. */
  bytes: number;
  /** Pieces that wait for a window. */
  waiting: number;
  isOpen: boolean;
}

interface WaitingPiece {
  readonly window: SendWindow;
  bytes: Uint8Array;
  readonly end: boolean;
}

/** Frames to a server of HTTP/2: all of a turn of the event loop leave in one write, and bodies wait for the windows. */
export class FrameOutput {
  private readonly socket: Socket;
  private connectionWindow = DEFAULT_WINDOW_BYTES;
  private waiting: WaitingPiece[] = [];
  private slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  private from = 0;
  private to = 0;
  private isScheduled = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** A frame that flow control does not count. */
  frame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    this.place(FRAME_HEADER_BYTES + payload.length);
    this.to = writeFrameHeader(this.slab, this.to, payload.length, type, flags, streamId);
    this.slab.set(payload, this.to);
    this.to += payload.length;
    this.schedule();
  }

  /** Opens a stream. */
  head(streamId: number, block: Uint8Array): void {
    this.frame(HEADERS, FLAG_END_HEADERS, streamId, block);
  }

  /** A piece of a body, in order; `bytes` must not change. */
  data(window: SendWindow, bytes: Uint8Array, end: boolean): void {
    const rest = window.waiting > 0 ? bytes : this.send(window, bytes, end);
    if (rest === undefined) return;
    window.waiting++;
    this.waiting.push({ window, bytes: rest, end });
  }

  /** The peer takes so much more on the connection. */
  grow(bytes: number): void {
    this.connectionWindow += bytes;
    this.resume();
  }

  /** Sends what the windows have room for now. */
  resume(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    const stopped = new Set<SendWindow>();
    this.waiting = waiting.filter((piece) => {
      const { window } = piece;
      if (!window.isOpen) return false;
      const rest = stopped.has(window) ? piece.bytes : this.send(window, piece.bytes, piece.end);
      if (rest === undefined) {
        window.waiting--;
        return false;
      }
      piece.bytes = rest;
      stopped.add(window);
      return true;
    });
  }

  /** Sends what there is room for; gives the rest, undefined where nothing is left. */
  private send(window: SendWindow, bytes: Uint8Array, end: boolean): Uint8Array | undefined {
    let at = 0;
    for (;;) {
      const left = bytes.length - at;
      const size = Math.min(left, DEFAULT_MAX_FRAME_BYTES, window.bytes, this.connectionWindow);
      if (left > 0 && size <= 0) return bytes.subarray(at);
      const isLast = size === left;
      window.bytes -= size;
      this.connectionWindow -= size;
      const piece = at === 0 && isLast ? bytes : bytes.subarray(at, at + size);
      this.frame(DATA, isLast && end ? FLAG_END_STREAM : 0, window.streamId, piece);
      at += size;
      if (isLast) return undefined;
    }
  }

  private place(bytes: number): void {
    if (this.to + bytes <= this.slab.length) return;
    this.flush();
    this.slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
    this.from = this.to = 0;
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    process.nextTick(flushOf, this);
  }

  flush(): void {
    this.isScheduled = false;
    if (this.from === this.to) return;
    // What is written stays as it is: the slab goes on behind it.
    this.socket.write(this.slab.subarray(this.from, this.to));
    this.from = this.to;
  }
}

function flushOf(output: FrameOutput): void {
  output.flush();
}
