/**
 * One HTTP/2 connection, server side (RFC 9113). Comes in: chunks of a socket. Goes out: streams to the handler, frames
 * to the socket. Promises: every frame is judged by the state table; every bound of `limits.ts` and every budget of
 * `defence.ts` holds; whatever ends the connection, each open stream hears of it once and the socket is destroyed.
 */
import type { Socket } from "node:net";
import { ClosedStreams } from "./closed-streams.ts";
import { acceptRequest } from "./connection-requests.ts";
import { controlFrame } from "./control-frames.ts";
import type { Http2Counters } from "./counters.ts";
import {
  Budgets,
  CLOSED_STREAM_FRAMES,
  DEFENCES,
  EMPTY_DATA,
  FORCED_RESETS,
  SMALL_WINDOWS,
} from "./defence.ts";
import {
  CANCEL,
  ConnectionError,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  INTERNAL_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  STREAM_CLOSED,
} from "./error-code.ts";
import {
  CONTINUATION,
  DEFAULT_WINDOW_BYTES,
  FLAG_END_STREAM,
  HEADERS,
  MAX_STREAM_ID,
  PING,
  SETTINGS,
} from "./frame.ts";
import { createFrameReader, type FrameSink } from "./frame-reader.ts";
import { HeaderAssembly } from "./header-assembly.ts";
import { HeaderBlockCache } from "./header-block-cache.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import type { Http2Limits } from "./limits.ts";
import { Output } from "./output.ts";
import { ReceiveWindow } from "./receive-window.ts";
import type { RequestHead } from "./request-head.ts";
import { SendScheduler } from "./send-scheduler.ts";
import type { Http2Stream, StreamOwner } from "./server-stream.ts";
import { DEFAULT_HEADER_TABLE_BYTES, initialPeerSettings, serverSettings } from "./settings.ts";
import type { CancelReason, StreamHandler } from "./stream.ts";
import {
  CLOSED,
  CONNECTION_ERROR_CLOSED,
  CONNECTION_ERROR_PROTOCOL,
  HALF_CLOSED_LOCAL,
  IDLE,
  RECEIVE_DATA,
  RECEIVE_END,
  STREAM_ERROR_CLOSED,
  transition,
} from "./stream-state.ts";

/** What a connection shares with its engine. */
export interface ConnectionContext {
  readonly handler: StreamHandler;
  readonly limits: Http2Limits;
  readonly counters: Http2Counters;
  readonly onHandlerError: (error: unknown) => void;
  readonly onClose: (connection: Connection) => void;
}

const EMPTY = Buffer.alloc(0);
const DRAIN_PING = Buffer.from("drain-00", "latin1");

export class Connection implements FrameSink, StreamOwner {
  readonly context: ConnectionContext;
  readonly socket: Socket;
  readonly output: Output;
  readonly scheduler: SendScheduler;
  readonly encrypted: boolean;
  readonly remoteAddress: string;
  readonly streams = new Map<number, Http2Stream>();
  readonly closedStreams = new ClosedStreams();
  readonly budgets: Budgets;
  readonly assembly: HeaderAssembly;
  readonly decoder = new HpackDecoder(DEFAULT_HEADER_TABLE_BYTES);
  readonly knownBlocks = new HeaderBlockCache<RequestHead>();
  readonly openedAtMs = performance.now();
  peerSettings = initialPeerSettings();
  settingsReceived = false;
  settingsAcknowledged = false;
  /** The highest stream id that a request was opened with. */
  lastStreamId = 0;
  /** Streams above this id are not taken any more; set when the last GOAWAY has been sent. */
  acceptedStreamId = MAX_STREAM_ID;
  readingEnded = false;
  /** Something was read since the sweep last looked. */
  heard = false;
  draining = false;
  /** When the connection began to close, or undefined. */
  closingSinceMs: number | undefined;
  private readonly receive = new ReceiveWindow(DEFAULT_WINDOW_BYTES, 0);
  private readonly read: (chunk: Buffer) => void;
  private dataStream: Http2Stream | undefined;
  private answeredEarly: Http2Stream[] = [];
  private closed = false;

  constructor(socket: Socket, context: ConnectionContext) {
    this.socket = socket;
    this.context = context;
    this.encrypted = "encrypted" in socket;
    this.remoteAddress = socket.remoteAddress ?? "";
    this.budgets = new Budgets(this.openedAtMs);
    this.assembly = new HeaderAssembly(context.limits);
    this.output = new Output(socket, this.peerSettings.maxFrameBytes, () => this.endAnsweredEarly());
    this.scheduler = new SendScheduler(this.output, DEFAULT_WINDOW_BYTES);
    this.receive = new ReceiveWindow(DEFAULT_WINDOW_BYTES, context.limits.maxConnectionWindowBytes);
    this.read = createFrameReader(this);
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.take(chunk));
    socket.on("drain", () => this.drained());
    socket.on("error", () => this.lost());
    socket.on("end", () => this.lost());
    socket.on("close", () => this.lost());
    // The server's preface is a SETTINGS frame and may go first (section 3.4).
    const payload = serverSettings({
      maxConcurrentStreams: context.limits.maxConcurrentStreams,
      initialWindowBytes: context.limits.initialStreamWindowBytes,
      maxHeaderListBytes: context.limits.maxHeaderListBytes,
    });
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
    try {
      this.read(chunk);
    } catch (error) {
      if (error instanceof ConnectionError) this.fail(error.code, error.message);
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

  // Frames, from the reader.

  preface(): void {
    this.heard = true;
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
          `HEADERS on stream ${streamId}, which no client opens (5.1.1)`,
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
    if (!this.settingsReceived)
      throw new ConnectionError(PROTOCOL_ERROR, "the first frame is not SETTINGS (3.4)");
    if (this.assembly.open) throw new ConnectionError(PROTOCOL_ERROR, "DATA within a header block (6.10)");
    if (streamId === 0) throw new ConnectionError(PROTOCOL_ERROR, "DATA on stream 0 (6.1)");
    if (!this.receive.receive(frameBytes)) {
      throw new ConnectionError(FLOW_CONTROL_ERROR, "DATA beyond the connection's window (6.9.1)");
    }
    this.dataStream = undefined;
    const stream = this.streams.get(streamId);
    const state = stream === undefined ? this.stateOf(streamId) : stream.state;
    const outcome = transition(state, RECEIVE_DATA);
    if (stream === undefined || outcome < 0) {
      this.consumed(frameBytes);
      this.judge(outcome, streamId, "DATA");
      return;
    }
    if (!stream.receive.receive(frameBytes)) {
      this.consumed(frameBytes);
      this.resetForced(stream, FLOW_CONTROL_ERROR);
      return;
    }
    stream.bodyBytes += bodyBytes;
    if (bodyBytes > 0) this.budgets.work++;
    else if ((flags & FLAG_END_STREAM) === 0 && !this.spend(EMPTY_DATA)) return;
    if (frameBytes > bodyBytes) stream.consume(frameBytes - bodyBytes);
    this.dataStream = stream;
  }

  dataPiece(bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const stream = this.dataStream;
    if (stream === undefined || stream.state >= CLOSED) return;
    if (!endStream) {
      if (end > start) stream.deliver(bytes.subarray(start, end), false);
      return;
    }
    this.dataStream = undefined;
    this.endRequest(stream, end > start ? bytes.subarray(start, end) : EMPTY);
  }

  /** END_STREAM came, with the last piece of the body. */
  endRequest(stream: Http2Stream, lastPiece: Uint8Array): void {
    const { contentLength } = stream.head;
    if (contentLength >= 0 && contentLength !== stream.bodyBytes) {
      this.resetForced(stream, PROTOCOL_ERROR);
      return;
    }
    const next = transition(stream.state, RECEIVE_END);
    if (next === CLOSED) {
      // The response was complete before: nobody waits for this end.
      stream.cancel({ kind: "reset", code: NO_ERROR }, CLOSED);
      return;
    }
    stream.state = next;
    stream.deliver(lastPiece, true);
  }

  /** State of a stream that is not in the map. */
  stateOf(streamId: number): number {
    if ((streamId & 1) === 0 || streamId > this.lastStreamId) return IDLE;
    return this.closedStreams.stateOf(streamId) ?? CLOSED;
  }

  /** Acts on a transition that gives no state: frames on closed streams are few in good faith. */
  judge(outcome: number, streamId: number, what: string): void {
    if (outcome === CONNECTION_ERROR_PROTOCOL) {
      throw new ConnectionError(PROTOCOL_ERROR, `${what} on idle stream ${streamId} (5.1)`);
    }
    if (outcome === CONNECTION_ERROR_CLOSED) {
      throw new ConnectionError(STREAM_CLOSED, `${what} on closed stream ${streamId} (5.1)`);
    }
    if (!this.spend(CLOSED_STREAM_FRAMES) || outcome !== STREAM_ERROR_CLOSED) return;
    const stream = this.streams.get(streamId);
    if (stream !== undefined) this.resetForced(stream, STREAM_CLOSED);
    else this.resetUnknown(streamId, STREAM_CLOSED);
  }

  // What streams ask.

  consumed(byteCount: number): void {
    const increment = this.receive.consume(byteCount);
    if (increment > 0 && this.closingSinceMs === undefined) this.output.windowUpdate(0, increment);
  }

  streamClosed(stream: Http2Stream, completed: boolean): void {
    this.streams.delete(stream.id);
    this.closedStreams.add(stream.id, stream.state);
    if (completed) {
      this.budgets.work++;
      this.context.counters.streamsCompleted++;
    } else {
      this.context.counters.streamsCancelled++;
    }
    if (this.draining) this.finishDrain();
  }

  responseEndedEarly(stream: Http2Stream): void {
    this.answeredEarly.push(stream);
  }

  smallWindow(): boolean {
    return this.spend(SMALL_WINDOWS);
  }

  handlerFailed(error: unknown): void {
    this.context.onHandlerError(error);
  }

  // Errors and ends.

  /** Takes one from a budget; when it is spent the connection ends. */
  spend(kind: number): boolean {
    if (this.budgets.spend(kind)) return true;
    this.fail(ENHANCE_YOUR_CALM, DEFENCES[kind]!.reason);
    return false;
  }

  /** Resets a stream for an error of the peer's (CVE-2025-8671 makes such resets a weapon). */
  resetForced(stream: Http2Stream, code: number): void {
    this.context.counters.resetsSent++;
    stream.abort(code, { kind: "reset", code });
    this.spend(FORCED_RESETS);
  }

  /** Resets an id that has no stream object. */
  resetUnknown(streamId: number, code: number): void {
    this.context.counters.resetsSent++;
    this.output.resetStream(streamId, code);
    this.spend(FORCED_RESETS);
  }

  /** Ends the connection for an error: GOAWAY with its reason, then the socket's end. */
  fail(code: number, reason: string): void {
    if (this.closingSinceMs !== undefined) return;
    const { goaways } = this.context.counters;
    goaways.set(reason, (goaways.get(reason) ?? 0) + 1);
    this.output.goaway(this.lastStreamId, code, reason);
    this.close({ kind: "connection-lost" });
  }

  /** First step of a graceful end (section 6.8): the peer learns of it, and requests on their way are still taken. */
  drain(): void {
    if (this.draining || this.closingSinceMs !== undefined) return;
    this.draining = true;
    this.output.goaway(MAX_STREAM_ID, NO_ERROR, "shutting down");
    this.output.control(PING, 0, DRAIN_PING, 0, DRAIN_PING.length);
  }

  /** Second step, when the PING came back or was given up: names the last request that will be answered. */
  confirmDrain(): void {
    if (!this.draining || this.acceptedStreamId !== MAX_STREAM_ID) return;
    this.acceptedStreamId = this.lastStreamId;
    this.output.goaway(this.lastStreamId, NO_ERROR, "shutting down");
    this.finishDrain();
  }

  /** Ends at once, with GOAWAY NO_ERROR. */
  close(reason: CancelReason): void {
    if (this.closingSinceMs !== undefined) return;
    this.closingSinceMs = performance.now();
    this.readingEnded = true;
    if (reason.kind === "drain-limit") this.output.goaway(this.lastStreamId, NO_ERROR, "drain limit reached");
    for (const stream of [...this.streams.values()]) {
      if (reason.kind === "drain-limit") stream.abort(CANCEL, reason);
      else stream.cancel(reason, CLOSED);
    }
    this.output.flush();
    this.socket.end();
    // Reading on, into nothing, keeps the kernel from answering late frames with a reset that would overtake GOAWAY.
    this.socket.resume();
  }

  private finishDrain(): void {
    if (this.acceptedStreamId === MAX_STREAM_ID || this.streams.size > 0) return;
    if (this.closingSinceMs !== undefined) return;
    this.close({ kind: "drain-limit" });
  }

  private drained(): void {
    this.output.blocked = false;
    this.scheduler.pump();
    if (this.closingSinceMs === undefined && this.socket.isPaused()) this.socket.resume();
  }

  /** Requests that were answered before their end need no more body (section 8.1): NO_ERROR stops the peer. */
  private endAnsweredEarly(): void {
    if (this.answeredEarly.length === 0) return;
    const streams = this.answeredEarly;
    this.answeredEarly = [];
    for (const stream of streams) {
      if (stream.state === HALF_CLOSED_LOCAL) stream.abort(NO_ERROR, undefined);
    }
  }

  private lost(): void {
    if (this.closed) return;
    this.closed = true;
    this.readingEnded = true;
    this.closingSinceMs ??= performance.now();
    for (const stream of [...this.streams.values()]) stream.cancel({ kind: "connection-lost" }, CLOSED);
    this.output.discard();
    this.socket.destroy();
    this.context.onClose(this);
  }
}
