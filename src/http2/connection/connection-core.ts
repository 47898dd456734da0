/**
 * What one connection keeps, and what its streams and the frames that come in ask of it (RFC 9113). Promises: every bound of
 * `limits.ts` and every budget of `defence.ts` holds; what ends the connection is said once, in GOAWAY.
 */

import type { Socket } from "node:net";
import { CANCEL, ENHANCE_YOUR_CALM, INTERNAL_ERROR, NO_ERROR } from "../frame/error-code.ts";
import { DEFAULT_WINDOW_BYTES, MAX_STREAM_ID } from "../frame/frame.ts";
import { HeaderAssembly } from "../frame/header-assembly.ts";
import { Output } from "../frame/output.ts";
import { DEFAULT_HEADER_TABLE_BYTES, initialPeerSettings } from "../frame/settings.ts";
import { HeaderBlockCache } from "../hpack/header-block-cache.ts";
import { HpackDecoder } from "../hpack/hpack-decoder.ts";
import type { Member } from "../members.ts";
import { headerBlock } from "../stream.ts";
import { AnsweredEarly } from "../streams/answered-early.ts";
import { HeldRequests, type RequestServer } from "../streams/held-requests.ts";
import { OpenStreams } from "../streams/open-streams.ts";
import { ReceiveWindow } from "../streams/receive-window.ts";
import type { RequestHead } from "../streams/request-head.ts";
import { SendScheduler } from "../streams/send-scheduler.ts";
import type { Http2Stream } from "../streams/server-stream.ts";
import type { OwnedStream, StreamOwner } from "../streams/stream-owner.ts";
import { CLOSED, ClosedStreams, IDLE } from "../streams/stream-state.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { Budgets, DEFENCES, FORCED_RESETS, SMALL_WINDOWS } from "./defence.ts";

const NO_BODY = Buffer.alloc(0);
const EMPTY_BLOCK = headerBlock([]);
// Of the octets of answers that a connection may leave unread: above this part its further requests wait.
const HOLD_PART = 4;
const FIRST_IN_TURN = 16;

/** State and duties of one connection, without its reading; `Connection` adds that. RFC 9113 sections 5 to 7. */
export class ConnectionCore implements StreamOwner, RequestServer, Member {
  place = -1;
  readonly context: ConnectionContext;
  readonly socket: Socket;
  readonly output: Output;
  readonly scheduler: SendScheduler;
  readonly encrypted: boolean;
  readonly remoteAddress: string;
  readonly streams = new OpenStreams();
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

  answerQueued(stream: OwnedStream, byteCount: number): void {
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

  streamClosed(stream: OwnedStream, completed: boolean): void {
    this.streams.delete(stream.id);
    this.closedStreams.add(stream.id, stream.state);
    if (completed) {
      this.budgets.responses++;
      this.context.counters.streamsCompleted++;
    } else {
      this.context.counters.streamsCancelled++;
    }
    this.endDrained();
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
    if (this.heldRequests.isEmpty && this.mayServe()) this.serve(stream, endStream);
    else {
      this.heldRequests.hold(stream, endStream);
      if (this.answersAreRead()) this.heldRequests.release();
    }
  }

  /** Hands a request to the handler. */
  serve(stream: Http2Stream, endStream: boolean): void {
    this.servedInTurn++;
    try {
      this.context.handler(stream);
    } catch (error) {
      this.handlerFailed(error);
      stream.reset(INTERNAL_ERROR);
      return;
    }
    if (endStream) stream.deliver(NO_BODY, true);
    else if (stream.head.expectsContinue && stream.unanswered) stream.respond(100, EMPTY_BLOCK);
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

  bodyCutOff(): void {
    this.context.counters.bodiesCutOff++;
  }

  responseEndedEarly(stream: OwnedStream): void {
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
  resetForced(stream: OwnedStream, code: number): void {
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
    for (const stream of this.streams.all()) stream.abort(CANCEL, { kind: "drain-limit" });
    this.close();
  }

  /** Ends the connection once its last GOAWAY is sent and its last stream has ended. */
  endDrained(): void {
    if (this.acceptedStreamId !== MAX_STREAM_ID && this.streams.size === 0) this.close();
  }

  /** Sends what is framed and ends the socket; the sweep destroys it if the peer does not. */
  close(): void {
    if (this.closingSinceMs !== undefined) return;
    this.closingSinceMs = performance.now();
    this.readingEnded = true;
    for (const stream of this.streams.all()) stream.cancel({ kind: "connection-lost" }, CLOSED);
    this.output.flush();
    this.socket.end();
    // Reading on, into nothing, keeps the kernel from answering late frames with a reset that would overtake GOAWAY.
    this.socket.resume();
  }
}
