import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { socketProgress } from "../../http2/connection/socket-progress.ts";
import { closeGently } from "./gentle-close.ts";

/** Pipelined requests that are served at a time; further ones wait for the answers before them. */
const MAX_SERVED = 8;

/** One HTTP/1.1 connection: which requests it has under way, and how its peer takes their answers. */
export class Http1Connection {
  readonly socket: Socket;
  /** The last response is sent or begun: what comes after it is not served. */
  isLast = false;
  private readonly responses = new Set<ServerResponse>();
  private waiting: { readonly response: ServerResponse; readonly serve: () => void }[] = [];
  private served = 0;
  /** What was read when the last response ended; more says that a request is coming. */
  private readAtRest = -1;
  private progress = "";
  private progressAtMs = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    // What node:http calls after the last response.
    const close = (): void => closeGently(socket);
    socket.destroySoon = close;
  }

  /** No request is under way, nor has one begun to come. */
  get isIdle(): boolean {
    return this.responses.size === 0 && this.socket.bytesRead === this.readAtRest;
  }

  /** The only request under way: its response may close the connection. */
  get hasOneRequest(): boolean {
    return this.responses.size <= 1;
  }

  /** Octets of answers that the peer has not taken. */
  get unreadBytes(): number {
    let sum = 0;
    for (const response of this.responses) sum += response.writableLength;
    return Math.max(sum, this.socket.writableLength);
  }

  /** Serves a request now or when those before it are answered. Whoever adds it says when it has `ended`. */
  add(response: ServerResponse, serve: () => void): void {
    this.responses.add(response);
    if (this.served < MAX_SERVED) {
      this.served++;
      serve();
    } else this.waiting.push({ response, serve });
  }

  /** Since when the peer has taken nothing of what waits for it; `nowMs` where it takes. */
  stalledSince(nowMs: number): number {
    const progress = this.socket.writableLength === 0 ? "" : socketProgress(this.socket);
    if (progress === "" || progress !== this.progress) {
      this.progress = progress;
      this.progressAtMs = nowMs;
    }
    return this.progressAtMs;
  }

  /** A response has gone, whole or not: the next request that waits is served. */
  ended(response: ServerResponse): void {
    this.responses.delete(response);
    this.readAtRest = this.socket.bytesRead;
    const next = this.waiting.shift();
    if (next === undefined) this.served--;
    else if (this.socket.destroyed || this.isLast) this.waiting = [];
    else next.serve();
  }
}
