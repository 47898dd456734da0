/**
 * One HTTP/2 stream as the handler sees it. Comes in: body pieces and window updates from the connection, calls from
 * the handler. Goes out: frames to the output, callbacks to the handler. Promises what `stream.ts` promises.
 */

import { INTERNAL_ERROR, NO_ERROR } from "../frame/error-code.ts";
import { MAX_WINDOW_BYTES } from "../frame/frame.ts";
import { encodedBlock, encodedStatus } from "../hpack/hpack-encoder.ts";
import type { CancelReason, HeaderBlock, ServerStream } from "../stream.ts";
import type { ReceiveWindow } from "./receive-window.ts";
import type { RequestHead } from "./request-head.ts";
import { EarlyBody, RequestView } from "./request-view.ts";
import type { Sender } from "./send-scheduler.ts";
import type { StreamOwner } from "./stream-owner.ts";
import {
  CLOSED,
  HALF_CLOSED_LOCAL,
  HALF_CLOSED_REMOTE,
  OPEN,
  RESET,
  SEND_END,
  SEND_RESET,
  transition,
} from "./stream-state.ts";

const SMALL_FRAME_BYTES = 256;
const ignore = (): void => {};

const NOT_STARTED = 0;
const BODY = 1;
const ENDED = 2;

/** One stream of a connection: the request, the response and both windows (RFC 9113 section 5). */
export class Http2Stream extends RequestView implements ServerStream, Sender {
  readonly id: number;
  readonly receive: ReceiveWindow;
  /** The round of the engine's timer in which it was opened. */
  readonly openedAtSweep: number;
  state = OPEN;
  sendWindow: number;
  inLine = false;
  onCancel: (reason: CancelReason) => void = ignore;
  onDrain: () => void = ignore;
  /** Body octets received so far, compared with content-length at the end. */
  bodyBytes = 0;
  /** Body octets handed to the output; the sweep sees by it whether a waiting response moves. */
  sentBytes = 0;
  private dataCallback: (bytes: Uint8Array, end: boolean) => void = ignore;
  private early: EarlyBody | undefined;
  private phase = NOT_STARTED;
  private queue: Uint8Array[] | undefined;
  // Offset into the first queued chunk.
  private queueStart = 0;
  private endQueued = false;
  private trailersQueued: HeaderBlock | undefined;
  private drainWanted = false;
  /** `bodyBytes` when the answer was complete. */
  private answeredAtBytes = 0;

  constructor(
    owner: StreamOwner,
    id: number,
    head: RequestHead,
    receive: ReceiveWindow,
    sendWindow: number,
    openedAtSweep: number,
  ) {
    super(owner, head);
    this.id = id;
    this.receive = receive;
    this.sendWindow = sendWindow;
    this.openedAtSweep = openedAtSweep;
  }

  get onData(): (bytes: Uint8Array, end: boolean) => void {
    return this.dataCallback;
  }

  set onData(callback: (bytes: Uint8Array, end: boolean) => void) {
    this.dataCallback = callback;
    if (this.early !== undefined) queueMicrotask(() => this.deliverEarly());
  }

  /** True while the handler has not sent a status, nor ended the stream. */
  get unanswered(): boolean {
    return this.phase === NOT_STARTED && this.state < CLOSED;
  }

  /** True while octets, an end or trailers wait for a window or the socket. */
  get waiting(): boolean {
    return this.queue !== undefined;
  }

  get responseEnded(): boolean {
    return this.phase === ENDED;
  }

  /** Hands a piece of the body to the handler; what nobody will read goes back to the window. */
  deliver(bytes: Uint8Array, end: boolean): void {
    if (this.phase === ENDED || this.state >= CLOSED) {
      this.consume(bytes.length);
      if (this.state !== HALF_CLOSED_LOCAL) return;
      if (this.bodyBytes - this.answeredAtBytes > this.owner.maxDiscardedBytes) {
        this.owner.bodyCutOff();
        this.stopPeer();
      }
      return;
    }
    if (this.dataCallback === ignore || this.early !== undefined) {
      this.early ??= new EarlyBody();
      this.early.add(bytes, end);
      return;
    }
    try {
      this.dataCallback(bytes, end);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Adds a WINDOW_UPDATE or SETTINGS change; false when the window would pass 2^31-1 (section 6.9.1). */
  openWindow(increment: number): boolean {
    if (this.sendWindow + increment > MAX_WINDOW_BYTES) return false;
    this.sendWindow += increment;
    if (this.sendWindow > 0 && this.queue !== undefined) this.owner.scheduler.enqueue(this);
    return true;
  }

  /** Ends the stream for a reason that is not the handler's. */
  cancel(reason: CancelReason, state: number): void {
    const ended = this.phase === ENDED;
    this.close(state, false);
    if (!ended) this.guard(() => this.onCancel(reason));
  }

  /** END_STREAM came after the whole response. */
  complete(): void {
    this.close(CLOSED, true);
  }

  /** Ends the stream with RST_STREAM, for an error of the peer's or because the request has become pointless. */
  abort(code: number, reason: CancelReason | undefined): void {
    if (this.state >= CLOSED) return;
    this.owner.sendReset(this.id, code);
    const state = transition(this.state, SEND_RESET);
    if (reason === undefined) this.close(state, this.phase === ENDED && this.queue === undefined);
    else this.cancel(reason, state);
  }

  /** The request was answered before its end and needs no more body (section 8.1): NO_ERROR stops the peer. */
  stopPeer(): void {
    if (this.state === HALF_CLOSED_LOCAL) this.abort(NO_ERROR, undefined);
  }

  sendNext(): boolean {
    if (this.state >= CLOSED) return false;
    if (this.queue !== undefined) {
      const chunk = this.queue[0]!;
      const rest = chunk.length - this.queueStart;
      const length = this.frameLength(rest);
      if (length < 0) return false;
      const lastChunk = length === rest && this.queue.length === 1;
      const end = lastChunk && this.endQueued && this.trailersQueued === undefined;
      this.frame(chunk, this.queueStart, length, end);
      this.owner.answerTaken(length);
      if (length < rest) {
        this.queueStart += length;
        return this.sendWindow > 0;
      }
      this.queueStart = 0;
      this.queue.shift();
      if (!lastChunk) return this.sendWindow > 0;
      this.queue = undefined;
      if (this.endQueued) {
        if (this.trailersQueued !== undefined) this.sendTrailers(this.trailersQueued);
        this.ended();
        return false;
      }
    }
    if (this.drainWanted) {
      this.drainWanted = false;
      this.guard(() => this.onDrain());
    }
    return false;
  }

  consume(byteCount: number): void {
    const held = this.receive.held;
    if (held === 0) return;
    const { size } = this.receive;
    const increment = this.receive.consume(byteCount, this.owner.growthBytes);
    if (increment > 0) {
      this.owner.growthBytes -= this.receive.size - size;
      // Once the peer has ended, only the connection's window still matters.
      if (this.state < HALF_CLOSED_REMOTE) this.owner.output.windowUpdate(this.id, increment);
    }
    this.owner.consumed(held - this.receive.held);
  }

  respond(status: number, headers: HeaderBlock, end = false): void {
    if (this.phase !== NOT_STARTED || this.state >= CLOSED) return;
    if (end && status < 200) throw new RangeError(`status ${status} announces a response and cannot end it`);
    this.owner.output.headers(this.id, encodedStatus(status), encodedBlock(headers), end);
    if (status < 200) return;
    this.phase = end ? ENDED : BODY;
    if (end) this.ended();
  }

  write(bytes: Uint8Array, end = false): boolean {
    if (this.phase !== BODY || this.state >= CLOSED) return this.refuse("write");
    const { scheduler, output } = this.owner;
    if (end) this.phase = ENDED;
    let start = 0;
    if (this.queue === undefined && scheduler.idle) {
      // What is left of `bytes`, frame by frame; an empty last frame carries END_STREAM alone.
      while (start < bytes.length || (end && start === 0)) {
        if (!output.hasRoom()) break;
        const length = this.frameLength(bytes.length - start);
        if (length < 0) break;
        const last = start + length === bytes.length;
        this.frame(bytes, start, length, end && last);
        start += length;
        if (!last) continue;
        if (end) this.ended();
        return this.goOn();
      }
    }
    if (bytes.length === 0 && !end && this.queue === undefined) return this.goOn();
    this.queue ??= [];
    this.queue.push(start === 0 ? bytes : bytes.subarray(start));
    this.owner.answerQueued(this, bytes.length - start);
    this.endQueued = end;
    this.drainWanted = !end;
    if (this.sendWindow > 0 || bytes.length === 0) scheduler.enqueue(this);
    return false;
  }

  trailers(headers: HeaderBlock): void {
    if (this.phase !== BODY || this.state >= CLOSED) {
      this.refuse("trailers");
      return;
    }
    if (this.queue === undefined) {
      this.sendTrailers(headers);
      this.phase = ENDED;
      this.ended();
      return;
    }
    encodedBlock(headers);
    this.phase = ENDED;
    this.endQueued = true;
    this.trailersQueued = headers;
    this.drainWanted = false;
  }

  reset(code: number): void {
    if (this.phase === ENDED) return;
    this.phase = ENDED;
    this.abort(code, undefined);
  }

  private sendTrailers(headers: HeaderBlock): void {
    this.owner.output.headers(this.id, undefined, encodedBlock(headers), true);
  }

  /** How much of `rest` the next frame may carry, 0 only for an empty one; -1 when a window is closed. */
  private frameLength(rest: number): number {
    const { scheduler, output } = this.owner;
    if (rest === 0) return 0;
    const window = Math.min(this.sendWindow, scheduler.window);
    if (window <= 0) return -1;
    const length = Math.min(rest, window, output.maxFrameBytes);
    if (length < rest && length < SMALL_FRAME_BYTES && !this.owner.smallWindow()) return -1;
    return length;
  }

  private frame(bytes: Uint8Array, start: number, length: number, end: boolean): void {
    this.owner.output.data(this.id, bytes, start, start + length, end);
    this.sendWindow -= length;
    this.owner.scheduler.window -= length;
    this.sentBytes += length;
  }

  /** What `write` answers when all is framed: whether the socket keeps up; if not, the stream is called back. */
  private goOn(): boolean {
    if (this.phase === ENDED || this.owner.output.hasRoom()) return true;
    this.drainWanted = true;
    this.owner.scheduler.enqueue(this);
    return false;
  }

  private refuse(what: string): boolean {
    if (this.phase === NOT_STARTED && this.state < CLOSED) throw new Error(`${what} before respond`);
    return true;
  }

  private ended(): void {
    const next = transition(this.state, SEND_END);
    if (next === CLOSED) {
      this.close(CLOSED, true);
    } else {
      this.state = next;
      this.answeredAtBytes = this.bodyBytes;
      // Nobody reads it any more.
      this.consume(this.receive.held);
      this.owner.responseEndedEarly(this);
    }
  }

  private close(state: number, completed: boolean): void {
    if (this.state >= CLOSED) return;
    this.phase = ENDED;
    if (this.queue !== undefined) this.dropQueue(this.queue);
    this.early = undefined;
    this.drainWanted = false;
    this.state = state === RESET ? RESET : CLOSED;
    this.consume(this.receive.held);
    this.owner.growthBytes += this.receive.size - this.receive.firstSize;
    this.owner.streamClosed(this, completed);
  }

  private dropQueue(queue: readonly Uint8Array[]): void {
    let byteCount = -this.queueStart;
    for (const chunk of queue) byteCount += chunk.length;
    this.queue = undefined;
    this.owner.answerTaken(byteCount);
  }

  private guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.owner.handlerFailed(error);
    this.reset(INTERNAL_ERROR);
    this.abort(INTERNAL_ERROR, undefined);
  }

  private deliverEarly(): void {
    const { early } = this;
    this.early = undefined;
    if (early !== undefined) this.deliver(early.bytes, early.end);
  }
}
