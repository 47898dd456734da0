import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Member } from "../../http2/members.ts";
import { limitHit } from "../../limits.ts";
import { closeGently } from "../listen/gentle-close.ts";
import { AnswerProgress } from "./answer-progress.ts";

/** Pipelined requests that are served at a time; further ones wait for the answers before them. */
const MAX_SERVED = 8;
/** Those that wait for them; with more, the connection is not read. */
const MAX_WAITING = 64;

/** One connection of `node:http`: which requests it has under way, and how its peer takes their answers. */
export class NodeConnection implements Member {
  place = -1;
  readonly socket: Socket;
  /** The last response is sent or begun: what comes after it is not served. */
  isLast = false;
  /** Few: those that are served and those that wait. */
  private readonly responses: ServerResponse[] = [];
  private waiting: { readonly response: ServerResponse; readonly serve: () => void }[] = [];
  private served = 0;
  private resumedAtMs = Number.NEGATIVE_INFINITY;
  private refuse: (() => void) | undefined = undefined;
  /** What was read when the last response ended; more says that a request is coming. */
  private readAtRest = -1;
  private readonly progress: AnswerProgress;

  /** Made of a socket that node:http has: its listeners come first. */
  constructor(socket: Socket) {
    this.socket = socket;
    this.progress = new AnswerProgress(socket);
    // What node:http calls after the last response.
    const close = (): void => closeGently(socket);
    socket.destroySoon = close;
    // node:http reads on whenever a request is done with.
    const stayPaused = (): void => {
      if (this.isFull) socket.pause();
    };
    socket.on("resume", stayPaused);
  }

  /** No request is under way, nor has one begun to come. */
  get isIdle(): boolean {
    return this.responses.length === 0 && this.socket.bytesRead === this.readAtRest;
  }

  /** So many requests wait that nothing more is read: each costs a hundred times what it took to send it. */
  get isFull(): boolean {
    return this.waiting.length > MAX_WAITING;
  }

  /** Since when it is read again, or Infinity while it is not; -Infinity where it always was. */
  get readSinceMs(): number {
    return this.isFull ? Number.POSITIVE_INFINITY : this.resumedAtMs;
  }

  /** The only request under way: its response may close the connection. */
  get hasOneRequest(): boolean {
    return this.responses.length <= 1;
  }

  /** Octets of answers that the peer has not taken. */
  get unreadBytes(): number {
    let sum = 0;
    for (const response of this.responses) sum += response.writableLength;
    return Math.max(sum, this.socket.writableLength);
  }

  /** Serves a request now or when those before it are answered. Whoever adds it says when it has `ended`. */
  add(response: ServerResponse, serve: () => void): void {
    this.responses.push(response);
    if (this.served < MAX_SERVED) {
      this.served++;
      serve();
      return;
    }
    this.waiting.push({ response, serve });
    if (!this.isFull) return;
    limitHit("http1-read-ahead");
    this.socket.pause();
  }

  /** What came is no request, and nothing is read any more: `refuse` is called once those before it are answered. */
  faulted(refuse: () => void): void {
    this.refuse ??= refuse;
    this.refuseInTurn();
  }

  stalledSince(nowMs: number): number {
    return this.progress.stalledSince(nowMs);
  }

  /** A response has gone, whole or not: the next request that waits is served. */
  ended(response: ServerResponse): void {
    this.responses.splice(this.responses.indexOf(response), 1);
    this.readAtRest = this.socket.bytesRead;
    if (this.socket.destroyed || this.isLast) this.waiting = [];
    const { isFull } = this;
    const next = this.waiting.shift();
    if (isFull && !this.isFull) {
      this.resumedAtMs = performance.now();
      this.socket.resume();
    }
    if (next === undefined) this.served--;
    else next.serve();
    this.refuseInTurn();
  }

  /** A request whose body is at fault is not waited for. */
  private refuseInTurn(): void {
    if (this.refuse === undefined) return;
    for (const { req } of this.responses) if (req.complete) return;
    this.refuse();
  }
}
