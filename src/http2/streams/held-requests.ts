import type { Http2Stream } from "./server-stream.ts";

/** A request whose head and perhaps whose end have come, and whose handler was not called. */
interface HeldRequest {
  readonly stream: Http2Stream;
  readonly endStream: boolean;
}

const MAX_IN_TURN = 64;
// A turn that takes less may be twice as large, one that takes more is to be half as large.
const SHORT_TURN_MS = 10;
const LONG_TURN_MS = 20;

/** The number of requests that a turn may hand over after one of `requests` that took `turnMs`, at least 1 and at most 64. */
export function requestsAfter(requests: number, turnMs: number): number {
  if (turnMs > LONG_TURN_MS) return Math.max(1, requests >> 1);
  return turnMs < SHORT_TURN_MS ? Math.min(MAX_IN_TURN, requests * 2) : requests;
}

/** The connection as held requests know it. */
export interface RequestServer {
  /** Requests handed over in this turn of the event loop, and how many may be. */
  servedInTurn: number;
  requestsInTurn: number;
  /** Whether one more is served in this turn. */
  mayServe(): boolean;
  /** Whether the peer reads its answers. */
  answersAreRead(): boolean;
  serve(stream: Http2Stream, endStream: boolean): void;
}

/**
 * The requests of one connection that wait for the next turn, or because its answers are not read: who does not take what was asked for
 * is not given more. They are served in the order in which they came.
 */
export class HeldRequests {
  private readonly server: RequestServer;
  private requests: HeldRequest[] = [];
  private isScheduled = false;
  private scheduledAtMs = 0;

  constructor(server: RequestServer) {
    this.server = server;
  }

  get isEmpty(): boolean {
    return this.requests.length === 0;
  }

  /** Keeps a request until `release`. */
  hold(stream: Http2Stream, endStream: boolean): void {
    this.requests.push({ stream, endStream });
  }

  /** There is or may be room in the next turn; not in this one, because a handler may be writing just now. */
  release(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.scheduledAtMs = performance.now();
    setImmediate(() => {
      this.isScheduled = false;
      this.serveTurn();
    });
  }

  private serveTurn(): void {
    const { server, requests } = this;
    server.servedInTurn = 0;
    server.requestsInTurn = requestsAfter(server.requestsInTurn, performance.now() - this.scheduledAtMs);
    let next = 0;
    for (; next < requests.length && server.mayServe(); next++) {
      const { stream, endStream } = requests[next]!;
      if (stream.unanswered) server.serve(stream, endStream);
    }
    this.requests = this.requests.slice(next);
    if (this.requests.length > 0 && server.answersAreRead()) this.release();
  }
}
