/**
 * One connection whose requests are read here, as long as they are plain. Comes in: its socket. Goes out: a stream for each request,
 * answers in the order of requests; where something else comes the socket, with its octets put back.
 * Promises: what is handed over is handed over whole, after the answers before it; few requests are under way, none while answers wait.
 */

import type { Socket } from "node:net";
import { readSocket, type SocketReading } from "../../http2/frame/node-socket.ts";
import type { Member } from "../../http2/members.ts";
import type { CancelReason, StreamHandler } from "../../http2/stream.ts";
import { limitHit } from "../../limits.ts";
import { closeGently } from "../listen/gentle-close.ts";
import { MAX_DISCARD_MS } from "../memory/message-limit.ts";
import { AnswerOutput, ownOctets } from "./answer-output.ts";
import { AnswerProgress } from "./answer-progress.ts";
import { KnownHead } from "./known-head.ts";
import type { HeadRules, PlainHead } from "./plain-head.ts";
import { PlainStream, type StreamOwner } from "./plain-stream.ts";
import type { RequestFault } from "./request-refusal.ts";

/** What plain connections share. */
export interface PlainConnections {
  readonly rules: HeadRules;
  readonly windowBytes: number;
  readonly headerTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly keepAliveFields: string;
  readonly onStream: StreamHandler;
  /** Whether answers end their connections from now on. */
  isLastCall(): boolean;
  /** A part of an answer was written that its peer may not have taken. */
  written(byteCount: number): void;
  /** Takes its paused socket, whose unread octets lie in it, for the rest of its life. */
  handOver(connection: PlainConnection): void;
  /** Answers what is no request, and ends the connection. */
  refuse(socket: Socket, fault: RequestFault, hasAnswerBegun: boolean): void;
}

/** Pipelined requests that are served at a time; further ones lie unread. */
const MAX_SERVED = 8;
/** A head that comes in more pieces is another's: each reads it from its start. */
const MAX_PIECES = 4;
/** How much longer than it says a connection is kept, for the request that is on its way; as `node:http` does. */
const KEEP_ALIVE_BUFFER_MS = 1000;
/** How long a peer that was answered may send nothing of the rest of its request. */
const QUIET_MS = 5000;
/** What one answer may keep waiting for those before it, before its writer is told to wait. */
const WAITING_BYTES = 65_536;
/** The most that is read at a time, and may then wait for answers. */
const READ_BYTES = 65_536;
const NO_BYTES = new Uint8Array(0);
/** What the octets are that are not read. */
type RestKind = "none" | "part of a head" | "waits" | "another's";

/** Reads and answers plain requests on one socket. */
export class PlainConnection implements StreamOwner, Member {
  place = -1;
  readonly socket: Socket;
  readonly encrypted: boolean;
  readonly remoteAddress: string;
  readonly windowBytes: number;
  readonly keepAliveFields: string;
  private readonly shared: PlainConnections;
  private readonly output: AnswerOutput;
  private readonly progress: AnswerProgress;
  private readonly known: KnownHead;
  private readonly reading: SocketReading;
  private readonly listeners: readonly [event: string, listener: () => void][];
  /** Requests that are not answered, in their order. */
  private readonly streams: PlainStream[] = [];
  /** The one whose body comes, answered or not, and how much of it is missing. */
  private receiving: PlainStream | undefined = undefined;
  private bodyLeft = 0;
  /** Octets that are not read yet. */
  private rest: Buffer[] = [];
  private restBytes = 0;
  private restKind: RestKind = "none";
  /** While octets are read: there are some behind the request at hand. */
  private hasMore = false;
  private pieces = 0;
  private partSinceMs = 0;
  /** The last answer is sent or begun: what comes after it is not served. */
  private isLast = false;
  /** Closed, or handed over. */
  private isOver = false;
  private fault: RequestFault | undefined = undefined;
  private isReading = false;
  private isReadDue = false;
  private isPaused = false;
  private begun = 0;
  private sweptBegun = -1;
  private restedAtMs = 0;
  private sweptBodyLeft = 0;
  private quietSinceMs = 0;
  private discardSinceMs = 0;

  constructor(socket: Socket, shared: PlainConnections) {
    this.socket = socket;
    this.shared = shared;
    this.encrypted = "encrypted" in socket;
    this.remoteAddress = socket.remoteAddress ?? "";
    this.windowBytes = shared.windowBytes;
    this.keepAliveFields = shared.keepAliveFields;
    this.output = new AnswerOutput(socket);
    this.progress = new AnswerProgress(socket);
    this.known = new KnownHead(shared.rules);
    this.listeners = [
      ["drain", () => this.drained()],
      ["end", () => this.ended()],
      ["close", () => this.cancel({ kind: "connection-lost" })],
    ];
    for (const [event, listener] of this.listeners) socket.on(event, listener);
    this.reading = readSocket(socket, (chunk) => this.take(chunk), READ_BYTES);
    socket.resume();
  }

  /** No request is under way, nor has one begun to come. */
  get isIdle(): boolean {
    const { streams, receiving, restBytes, socket } = this;
    return streams.length === 0 && receiving === undefined && restBytes === 0 && socket.writableLength === 0;
  }

  /** Octets of answers that the peer has not taken, and of requests that are not read. */
  get unreadBytes(): number {
    let sum = this.socket.writableLength + this.restBytes;
    for (const stream of this.streams) sum += stream.waitingBytes + stream.heldBytes;
    return sum;
  }

  stalledSince(nowMs: number): number {
    return this.progress.stalledSince(nowMs);
  }

  isLastAnswer(): boolean {
    const isLast = this.streams.length <= 1 && !this.hasMore && this.restBytes === 0;
    this.isLast ||= isLast && this.shared.isLastCall();
    return this.isLast;
  }

  send(stream: PlainStream, head: string, bytes: Uint8Array): boolean {
    if (this.isOver) return true;
    const { streams } = this;
    if (streams[0] !== stream) {
      stream.waiting ??= [];
      stream.waiting.push(ownOctets(head, bytes));
      stream.waitingBytes += head.length + bytes.length;
      return stream.waitingBytes < WAITING_BYTES;
    }
    if (streams.length > 1) this.output.hold();
    const isReady = this.output.write(head, bytes);
    if (!isReady) this.shared.written(bytes.length);
    return isReady;
  }

  answered(stream: PlainStream): void {
    const { streams } = this;
    if (streams[0] !== stream) return;
    while (streams.length > 0 && streams[0]!.isDone) {
      streams.shift();
      if (streams.length > 0) this.sendWaiting(streams[0]!);
    }
    if (this.isLast && streams.length === 0) this.close();
    else if (this.fault !== undefined) this.refuseInTurn();
    else this.flow();
  }

  /** Reads on, or stops, by what is under way. */
  flow(): void {
    if (this.isReading || this.isOver) return;
    if (this.restKind === "another's" && this.streams.length === 0) {
      this.handOver();
      return;
    }
    if (this.restKind === "waits" && this.mayBegin && !this.isReadDue) {
      this.isReadDue = true;
      process.nextTick(readRest, this);
    }
    // Below that it is read on, so that its end is seen.
    const isFull = this.restBytes >= READ_BYTES || this.receiving?.isFull === true;
    if (isFull === this.isPaused) return;
    this.isPaused = isFull;
    if (isFull) limitHit("http1-read-ahead");
    if (isFull) this.socket.pause();
    else this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Ends the connection once its peer has taken what was written. */
  close(): void {
    const { socket } = this;
    this.isOver = true;
    this.drop();
    this.output.release();
    if (socket.writableLength === 0) closeGently(socket);
    else socket.write(NO_BYTES, () => closeGently(socket));
  }

  /** Ends every call; the socket is closed, or is about to be. */
  cancel(reason: CancelReason): void {
    this.isOver = true;
    for (const stream of this.drop()) stream.cancel(reason);
  }

  /** What has a time, each half second or so: heads, rests of requests that are answered, and to be idle. */
  sweep(nowMs: number): void {
    if (this.isOver) return;
    if (this.begun !== this.sweptBegun || !this.isIdle) {
      this.sweptBegun = this.begun;
      this.restedAtMs = nowMs;
    }
    const { shared } = this;
    if (this.restKind === "part of a head" && this.streams.length === 0) {
      if (nowMs - this.partSinceMs > shared.headerTimeoutMs)
        this.refuse({ code: "ERR_HTTP_REQUEST_TIMEOUT", message: "" });
    } else if (this.receiving?.isDone === true) {
      if (this.bodyLeft !== this.sweptBodyLeft) this.quietSinceMs = nowMs;
      if (this.discardSinceMs === 0) this.discardSinceMs = nowMs;
      this.sweptBodyLeft = this.bodyLeft;
      const isLong = nowMs - this.discardSinceMs > MAX_DISCARD_MS;
      if (isLong) limitHit("discarded-body");
      if (isLong || nowMs - this.quietSinceMs > QUIET_MS) this.close();
    } else if (nowMs - this.restedAtMs > shared.idleTimeoutMs + KEEP_ALIVE_BUFFER_MS) {
      limitHit("idle-timeout-ms");
      this.destroy();
    }
  }

  /** Reads what had to wait for answers. */
  readRest(): void {
    this.isReadDue = false;
    if (this.restKind === "waits" && this.mayBegin && !this.isOver) this.readKept();
  }

  /** Neither too many requests are under way nor answers that the peer does not take. */
  private get mayBegin(): boolean {
    return this.streams.length < MAX_SERVED && !this.socket.writableNeedDrain;
  }

  private take(chunk: Buffer): void {
    if (this.isOver || this.socket.writableEnded) return;
    const { rest, restKind } = this;
    if (restKind === "none") {
      this.readAll(chunk, true);
    } else {
      this.restBytes += chunk.length;
      rest.push(Buffer.from(chunk));
      if (restKind === "part of a head") this.readKept();
      else this.flow();
    }
  }

  private readKept(): void {
    const { rest } = this;
    this.rest = [];
    this.restBytes = 0;
    this.restKind = "none";
    this.readAll(rest.length === 1 ? rest[0]! : Buffer.concat(rest), false);
  }

  private readAll(bytes: Buffer, isView: boolean): void {
    this.isReading = true;
    this.read(bytes, isView);
    this.isReading = false;
    this.hasMore = false;
    this.flow();
  }

  /** `isView`: the octets stay only until the next ones are read. */
  private read(bytes: Buffer, isView: boolean): void {
    let at = 0;
    while (at < bytes.length && !this.isOver) {
      if (this.receiving !== undefined) {
        at = this.readBody(bytes, at);
        continue;
      }
      if (this.isLast) return;
      if (!this.mayBegin) {
        this.keep(bytes, at, isView, "waits");
        return;
      }
      const head = this.known.read(bytes, at);
      if (typeof head === "string") {
        const isPart = head === "more" && ++this.pieces <= MAX_PIECES;
        this.keep(bytes, at, isView, isPart ? "part of a head" : "another's");
        return;
      }
      this.pieces = 0;
      at += head.byteCount;
      this.hasMore = at + head.bodyBytes < bytes.length;
      this.begin(head);
    }
  }

  private begin(head: PlainHead): void {
    const stream = new PlainStream(head, this);
    this.streams.push(stream);
    this.begun++;
    this.bodyLeft = head.bodyBytes;
    this.discardSinceMs = 0;
    if (head.bodyBytes > 0) this.receiving = stream;
    this.shared.onStream(stream);
    if (head.bodyBytes === 0) stream.take(NO_BYTES, true);
  }

  private readBody(bytes: Buffer, at: number): number {
    const stream = this.receiving!;
    const end = Math.min(bytes.length, at + this.bodyLeft);
    this.bodyLeft -= end - at;
    const isWhole = this.bodyLeft === 0;
    if (isWhole) this.receiving = undefined;
    this.hasMore = end < bytes.length;
    stream.take(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end), isWhole);
    return end;
  }

  private keep(bytes: Buffer, at: number, isView: boolean, kind: RestKind): void {
    const rest = bytes.subarray(at);
    this.rest = [isView ? Buffer.from(rest) : rest];
    this.restBytes = rest.length;
    this.restKind = kind;
    if (this.pieces === 1) this.partSinceMs = performance.now();
  }

  private sendWaiting(stream: PlainStream): void {
    const { waiting } = stream;
    if (waiting === undefined) return;
    stream.waiting = undefined;
    stream.waitingBytes = 0;
    this.output.hold();
    for (const part of waiting) if (!this.output.write("", part)) this.shared.written(part.length);
    if (stream.isBlocked && !this.socket.writableNeedDrain) process.nextTick(unblock, stream);
  }

  private drained(): void {
    const first = this.streams[0];
    if (first !== undefined) unblock(first);
    this.flow();
  }

  /** The peer sends nothing more; as `node:http`, this side then ends too, whatever is under way. */
  private ended(): void {
    if (this.isOver) return;
    const isPart = this.receiving !== undefined || this.restKind === "part of a head";
    if (!isPart) {
      this.socket.end();
      return;
    }
    this.fault = { code: "HPE_INVALID_EOF_STATE", message: "Parse Error" };
    this.refuseInTurn();
  }

  /** What is no request is refused once those before it are answered; the one whose body is at fault is not waited for. */
  private refuseInTurn(): void {
    const { streams, fault, receiving } = this;
    if (fault === undefined || streams.length > 1 || (streams.length === 1 && streams[0] !== receiving))
      return;
    this.fault = undefined;
    this.refuse(fault);
  }

  private refuse(fault: RequestFault): void {
    const hasAnswerBegun = this.streams[0]?.hasBegun === true;
    this.output.release();
    this.shared.refuse(this.socket, fault, hasAnswerBegun);
  }

  private handOver(): void {
    const { socket, rest } = this;
    this.isOver = true;
    this.drop();
    this.output.release();
    socket.pause();
    this.reading.stop();
    for (const [event, listener] of this.listeners) socket.off(event, listener);
    socket.unshift(Buffer.concat(rest));
    this.shared.handOver(this);
  }

  /** Forgets all that is under way. */
  private drop(): PlainStream[] {
    this.rest = [];
    this.restBytes = 0;
    this.restKind = "none";
    this.receiving = undefined;
    return this.streams.splice(0);
  }
}

function readRest(connection: PlainConnection): void {
  connection.readRest();
}

function unblock(stream: PlainStream): void {
  if (!stream.isBlocked || stream.isDone) return;
  stream.isBlocked = false;
  stream.onDrain();
}
