import type { Http2Stream } from "./server-stream.ts";

/** A request whose head and perhaps whose end have come, and whose handler was not called. */
interface HeldRequest {
  readonly stream: Http2Stream;
  readonly endStream: boolean;
}

/**
 * The requests of one connection that wait because its answers are not read: who does not take what was asked for is not given more.
 * They are served in the order in which they came.
 */
export class HeldRequests {
  private requests: HeldRequest[] = [];
  private isScheduled = false;
  private readonly serve: (stream: Http2Stream, endStream: boolean) => void;
  private readonly mayServe: () => boolean;

  constructor(serve: (stream: Http2Stream, endStream: boolean) => void, mayServe: () => boolean) {
    this.serve = serve;
    this.mayServe = mayServe;
  }

  get isEmpty(): boolean {
    return this.requests.length === 0;
  }

  /** Keeps a request until `release`. */
  hold(stream: Http2Stream, endStream: boolean): void {
    this.requests.push({ stream, endStream });
  }

  /** There may be room again; handlers are called in the next turn, because one may be writing just now. */
  release(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      const waiting = this.requests;
      this.requests = [];
      for (const [index, { stream, endStream }] of waiting.entries()) {
        if (!this.mayServe()) {
          this.requests = [...waiting.slice(index), ...this.requests];
          return;
        }
        if (stream.unanswered) this.serve(stream, endStream);
      }
    });
  }
}
