/**
 * One HTTP/2 connection, server side (RFC 9113): its socket, and where each frame goes. Comes in: chunks of a socket. Goes out: streams to
 * the handler, frames to the socket. Promises: every frame is judged by the state table; whatever ends the connection, each
 * open stream hears of it once and the socket is destroyed.
 */
import type { Socket } from "node:net";
import { ConnectionError, INTERNAL_ERROR, PROTOCOL_ERROR } from "../frame/error-code.ts";
import { CONTINUATION, DEFAULT_WINDOW_BYTES, HEADERS, SETTINGS } from "../frame/frame.ts";
import { createFrameReader, type FrameSink } from "../frame/frame-reader.ts";
import { readSocket } from "../frame/node-socket.ts";
import { serverSettings } from "../frame/settings.ts";
import type { Http2Stream } from "../streams/server-stream.ts";
import { CLOSED } from "../streams/stream-state.ts";
import { beginData, endRequest } from "./body-frames.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { ConnectionCore } from "./connection-core.ts";
import { acceptRequest } from "./connection-requests.ts";
import { controlFrame } from "./control-frames.ts";

const EMPTY = Buffer.alloc(0);

/** One HTTP/2 connection, from its preface to its end; it closes its socket. RFC 9113 section 3.4. */
export class Connection extends ConnectionCore implements FrameSink {
  private readonly onClose: (connection: Connection) => void;
  private readonly read: (chunk: Buffer) => void;
  private dataStream: Http2Stream | undefined;
  private closed = false;

  /** `onClose` is called once, after the last stream has heard of the end. */
  constructor(socket: Socket, context: ConnectionContext, onClose: (connection: Connection) => void) {
    super(socket, context);
    this.onClose = onClose;
    this.read = createFrameReader(this);
    socket.setNoDelay(true);
    readSocket(socket, (chunk) => this.take(chunk));
    socket.on("drain", () => this.drained());
    socket.on("end", () => {
      // While this end closes, what it has framed still goes out.
      if (this.closingSinceMs === undefined) this.lost();
    });
    for (const event of ["error", "close"]) socket.on(event, () => this.lost());
    // The server's preface is a SETTINGS frame and may go first (section 3.4).
    const payload = serverSettings(context.limits);
    this.output.control(SETTINGS, 0, payload, 0, payload.length);
    const increment = this.receive.update(
      Math.max(DEFAULT_WINDOW_BYTES, context.limits.initialConnectionWindowBytes),
    );
    if (increment > 0) this.output.windowUpdate(0, increment);
  }

  /** Reads a chunk; what throws ends the connection, never the process. */
  take(chunk: Buffer): void {
    if (this.readingEnded) return;
    this.heard = true;
    this.servedInTurn = 0;
    try {
      this.read(chunk);
    } catch (error) {
      if (error instanceof ConnectionError) this.fail(error.code, error.reason, error.detail);
      else {
        this.handlerFailed(error);
        this.fail(INTERNAL_ERROR, "internal error");
      }
    }
    // A peer that sends and does not read is not read either (CVE-2019-9517).
    if (this.output.waitingBytes > this.context.limits.maxQueuedOutputBytes) {
      this.output.flush();
      if (this.output.blocked) this.socket.pause();
    }
  }

  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const assembly = this.assembly;
    if (!this.settingsReceived && type !== SETTINGS) {
      throw new ConnectionError(PROTOCOL_ERROR, "the first frame is not SETTINGS (3.4)");
    }
    if (assembly.open && type !== CONTINUATION) {
      throw new ConnectionError(
        PROTOCOL_ERROR,
        "a frame other than CONTINUATION within a header block (6.10)",
      );
    }
    if (type === HEADERS) {
      if ((streamId & 1) === 0) {
        throw new ConnectionError(
          PROTOCOL_ERROR,
          "HEADERS on a stream that no client opens (5.1.1)",
          String(streamId),
        );
      }
      if (assembly.headers(flags, streamId, bytes, start, end)) acceptRequest(this);
    } else if (type === CONTINUATION) {
      if (assembly.continuation(flags, streamId, bytes, start, end)) acceptRequest(this);
    } else {
      controlFrame(this, type, flags, streamId, bytes, start, end);
    }
  }

  dataBegin(streamId: number, flags: number, frameBytes: number, bodyBytes: number): void {
    this.dataStream = beginData(this, streamId, flags, frameBytes, bodyBytes);
  }

  dataPiece(bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const stream = this.dataStream;
    if (stream === undefined || stream.state >= CLOSED) return;
    if (!endStream) {
      if (end > start) stream.deliver(bytes.subarray(start, end), false);
      return;
    }
    this.dataStream = undefined;
    endRequest(this, stream, end > start ? bytes.subarray(start, end) : EMPTY);
  }

  private drained(): void {
    this.output.blocked = false;
    this.scheduler.pump();
    if (this.closingSinceMs === undefined && this.socket.isPaused()) this.socket.resume();
  }

  private lost(): void {
    if (this.closed) return;
    this.closed = true;
    this.readingEnded = true;
    this.closingSinceMs ??= performance.now();
    for (const stream of this.streams.all()) stream.cancel({ kind: "connection-lost" }, CLOSED);
    this.output.discard();
    this.socket.destroy();
    this.onClose(this);
  }
}
