/**
 * One HTTP/2 connection, server side (RFC 9113). Comes in: chunks of a socket. Goes out: streams to the handler, frames
 * to the socket. Promises: every frame is judged by the state table; every bound of `limits.ts` and every budget of
 * `defence.ts` holds; whatever ends the connection, each open stream hears of it once and the socket is destroyed.
 */
import type { Socket } from "node:net";
import {
  CANCEL,
  ConnectionError,
  ENHANCE_YOUR_CALM,
  INTERNAL_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
} from "../frame/error-code.ts";
import { CONTINUATION, DEFAULT_WINDOW_BYTES, HEADERS, MAX_STREAM_ID, SETTINGS } from "../frame/frame.ts";
import { createFrameReader, type FrameSink } from "../frame/frame-reader.ts";
import { HeaderAssembly } from "../frame/header-assembly.ts";
import { DEFAULT_HEADER_TABLE_BYTES, initialPeerSettings, serverSettings } from "../frame/settings.ts";
import { readSocket } from "../frame/socket-reader.ts";
import { HeaderBlockCache } from "../hpack/header-block-cache.ts";
import { HpackDecoder } from "../hpack/hpack-decoder.ts";
import { AnsweredEarly } from "../streams/answered-early.ts";
import { ClosedStreams } from "../streams/closed-streams.ts";
import { HeldRequests } from "../streams/held-requests.ts";
import { ReceiveWindow } from "../streams/receive-window.ts";
import type { RequestHead } from "../streams/request-head.ts";
import { SendScheduler } from "../streams/send-scheduler.ts";
import type { Http2Stream } from "../streams/server-stream.ts";
import type { StreamOwner } from "../streams/stream-owner.ts";
import { CLOSED, IDLE } from "../streams/stream-state.ts";
import { beginData, endRequest } from "./body-frames.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { acceptRequest, serve } from "./connection-requests.ts";
import { controlFrame } from "./control-frames.ts";
import { Budgets, DEFENCES, FORCED_RESETS, SMALL_WINDOWS } from "./defence.ts";
import { finishDrain } from "./drain.ts";
import { Output } from "./output.ts";

const EMPTY = Buffer.alloc(0);
// Of the octets of answers that a connection may leave unread: above this part its further requests wait.
const HOLD_PART = 4;
const FIRST_IN_TURN = 16;

/** One HTTP/2 connection, from its preface to its end; it closes its socket. RFC 9113 section 3.4. */
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
  readonly receive: ReceiveWindow;
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
  /** Octets of requests' bodies that handlers have not consumed. */
  unreadBytes = 0;
  /** How much the windows of all streams together may still grow. */
  growthBytes: number;
  /** Octets of answers that wait for the peer's windows. */
  unsentBytes = 0;
  readonly heldRequests: HeldRequests;
  readonly answeredEarly = new AnsweredEarly();
  /**
   * Requests handed over in this turn of the event loop, and how many may be: the others follow in the next turns, so that the answers
   * before them are seen to be read or not, and that costly ones do not hold the loop.
   */
  servedInTurn = 0;
  requestsInTurn = FIRST_IN_TURN;
  readingEnded = false;
  /** Something was read since the sweep last looked. */
  heard = false;
  draining = false;
  /** When the connection began to close, or undefined. */
  closingSinceMs: number | undefined;
  private readonly read: (chunk: Buffer) => void;
  private dataStream: Http2Stream | undefined;
  private closed = false;

  constructor(socket: Socket, context: ConnectionContext) {
    this.socket = socket;
    this.context = context;
    this.encrypted = "encrypted" in socket;
    this.remoteAddress = socket.remoteAddress ?? "";
    this.budgets = new Budgets(this.openedAtMs);
    this.assembly = new HeaderAssembly(context.limits);
    this.output = new Output(socket, this.peerSettings.maxFrameBytes);
    this.scheduler = new SendScheduler(this.output, DEFAULT_WINDOW_BYTES);
    this.receive = new ReceiveWindow(DEFAULT_WINDOW_BYTES, context.limits.maxConnectionWindowBytes);
    this.growthBytes = context.limits.maxUnreadBodyBytes / 2;
    this.heldRequests = new HeldRequests(this);
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

  /** State of a stream that is not in the map. */
  stateOf(streamId: number): number {
    if ((streamId & 1) === 0 || streamId > this.lastStreamId) return IDLE;
    return this.closedStreams.stateOf(streamId) ?? CLOSED;
  }

  /** What GOAWAY names; it never goes up again (section 6.8). */
  get lastAccepted(): number {
    return Math.min(this.lastStreamId, this.acceptedStreamId);
  }

  // What streams ask.

  consumed(byteCount: number): void {
    this.unreadBytes -= byteCount;
    this.returnCredit();
  }

  answerQueued(stream: Http2Stream, byteCount: number): void {
    const before = this.unsentBytes;
    this.unsentBytes += byteCount;
    this.context.unreadAnswers.added(byteCount);
    this.context.onUnreadAnswers(byteCount);
    if (before < this.context.limits.maxUnreadAnswerBytes) return;
    // A handler is writing just now, and its callbacks never run inside its own calls.
    process.nextTick(() => {
      if (stream.state >= CLOSED) return;
      this.context.counters.answersDropped++;
      stream.abort(ENHANCE_YOUR_CALM, { kind: "reset", code: ENHANCE_YOUR_CALM });
    });
  }

  answerTaken(byteCount: number): void {
    this.unsentBytes -= byteCount;
    this.context.onUnreadAnswers(-byteCount);
    if (!this.heldRequests.isEmpty && this.answersAreRead()) this.heldRequests.release();
  }

  streamClosed(stream: Http2Stream, completed: boolean): void {
    this.streams.delete(stream.id);
    this.closedStreams.add(stream.id, stream.state);
    if (completed) {
      this.budgets.responses++;
      this.context.counters.streamsCompleted++;
    } else {
      this.context.counters.streamsCancelled++;
    }
    if (this.draining) finishDrain(this);
  }

  // What comes in and is not read yet.

  /** A stream has taken in octets of a body. */
  holdBody(byteCount: number): void {
    this.unreadBytes += byteCount;
    this.returnCredit();
  }

  /**
   * Gives the connection's credit back on receipt: only its stream's window stops a peer whose stream is not read, and the others
   * go on. What all streams hold together beyond `maxUnreadBodyBytes` keeps its credit until it is read.
   */
  returnCredit(): void {
    const kept = Math.max(0, this.unreadBytes - this.context.limits.maxUnreadBodyBytes);
    const due = this.receive.held - kept;
    if (due <= 0) return;
    const increment = this.receive.consume(due);
    if (increment > 0 && this.closingSinceMs === undefined) this.output.windowUpdate(0, increment);
  }

  /** Serves a request now or in its turn. */
  accept(stream: Http2Stream, endStream: boolean): void {
    if (this.heldRequests.isEmpty && this.mayServe()) serve(this, stream, endStream);
    else {
      this.heldRequests.hold(stream, endStream);
      if (this.answersAreRead()) this.heldRequests.release();
    }
  }

  /** Serves a request that was held. */
  serve(stream: Http2Stream, endStream: boolean): void {
    serve(this, stream, endStream);
  }

  /** Whether a further request is served in this turn. */
  mayServe(): boolean {
    return this.servedInTurn < this.requestsInTurn && this.answersAreRead();
  }

  answersAreRead(): boolean {
    return this.unsentBytes * HOLD_PART < this.context.limits.maxUnreadAnswerBytes;
  }

  get maxDiscardedBytes(): number {
    return this.context.limits.maxDiscardedBytes;
  }

  responseEndedEarly(stream: Http2Stream): void {
    this.answeredEarly.add(stream);
  }

  smallWindow(): boolean {
    if (this.budgets.spend(SMALL_WINDOWS, this.output.framesSent)) return true;
    // A handler may be writing just now, and its callbacks never run inside its own calls.
    process.nextTick(() => this.fail(ENHANCE_YOUR_CALM, DEFENCES[SMALL_WINDOWS].reason));
    return false;
  }

  handlerFailed(error: unknown): void {
    this.context.onHandlerError(error);
  }

  // Errors and ends.

  /** Takes one from a budget; when it is spent the connection ends. */
  spend(kind: number): boolean {
    if (this.budgets.spend(kind, this.output.framesSent)) return true;
    this.fail(ENHANCE_YOUR_CALM, DEFENCES[kind]!.reason);
    return false;
  }

  sendReset(streamId: number, code: number): void {
    this.context.counters.resetsSent++;
    this.output.resetStream(streamId, code);
  }

  /** Resets a stream for an error of the peer's (CVE-2025-8671 makes such resets a weapon). */
  resetForced(stream: Http2Stream, code: number): void {
    stream.abort(code, { kind: "reset", code });
    this.spend(FORCED_RESETS);
  }

  /** Resets an id that has no stream object. */
  resetUnknown(streamId: number, code: number): void {
    this.sendReset(streamId, code);
    this.spend(FORCED_RESETS);
  }

  /** Ends the connection for an error: GOAWAY with its reason, then the socket's end. */
  fail(code: number, reason: string, detail = ""): void {
    if (this.closingSinceMs !== undefined) return;
    const { goaways } = this.context.counters;
    goaways.set(reason, (goaways.get(reason) ?? 0) + 1);
    this.output.goaway(this.lastAccepted, code, detail === "" ? reason : `${reason}: ${detail}`);
    this.close();
  }

  /** Ends at once what is still open, for a caller whose patience is over. */
  cancel(): void {
    if (this.closingSinceMs !== undefined) return;
    this.output.goaway(this.lastAccepted, NO_ERROR, "drain limit reached");
    for (const stream of [...this.streams.values()]) stream.abort(CANCEL, { kind: "drain-limit" });
    this.close();
  }

  /** Sends what is framed and ends the socket; the sweep destroys it if the peer does not. */
  close(): void {
    if (this.closingSinceMs !== undefined) return;
    this.closingSinceMs = performance.now();
    this.readingEnded = true;
    for (const stream of [...this.streams.values()]) stream.cancel({ kind: "connection-lost" }, CLOSED);
    this.output.flush();
    this.socket.end();
    // Reading on, into nothing, keeps the kernel from answering late frames with a reset that would overtake GOAWAY.
    this.socket.resume();
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
    for (const stream of [...this.streams.values()]) stream.cancel({ kind: "connection-lost" }, CLOSED);
    this.output.discard();
    this.socket.destroy();
    this.context.onClose(this);
  }
}
