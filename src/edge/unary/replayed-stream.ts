import type { CancelReason, HeaderBlock, Headers, ServerStream } from "../../http2/stream.ts";

/** A stream whose body was begun to be read, as if it were not: for whoever shall serve it instead. */
export class ReplayedStream implements ServerStream {
  private readonly inner: ServerStream;
  private readonly held: Uint8Array[];
  private hasEnded: boolean;
  /** Octets of what is replayed, whose window was given back already. */
  private givenBytes: number;
  private isReplayed = false;
  private handler: ServerStream["onData"] = ignore;

  /** `came` is a copy of what was read and given back; `hasEnded`: nothing follows. */
  constructor(inner: ServerStream, came: Uint8Array, hasEnded: boolean) {
    this.inner = inner;
    this.held = [came];
    this.hasEnded = hasEnded;
    this.givenBytes = came.length;
  }

  get method(): string {
    return this.inner.method;
  }

  get path(): string {
    return this.inner.path;
  }

  get authority(): string {
    return this.inner.authority;
  }

  get headers(): Headers {
    return this.inner.headers;
  }

  get httpVersion(): 1 | 2 {
    return this.inner.httpVersion;
  }

  get encrypted(): boolean {
    return this.inner.encrypted;
  }

  get remoteAddress(): string {
    return this.inner.remoteAddress;
  }

  get onData(): ServerStream["onData"] {
    return this.handler;
  }

  set onData(handler: ServerStream["onData"]) {
    this.handler = handler;
    if (!this.isReplayed) queueMicrotask(() => this.replay());
  }

  get onCancel(): (reason: CancelReason) => void {
    return this.inner.onCancel;
  }

  set onCancel(handler: (reason: CancelReason) => void) {
    this.inner.onCancel = handler;
  }

  get onDrain(): () => void {
    return this.inner.onDrain;
  }

  set onDrain(handler: () => void) {
    this.inner.onDrain = handler;
  }

  consume(byteCount: number): void {
    const given = Math.min(byteCount, this.givenBytes);
    this.givenBytes -= given;
    if (byteCount > given) this.inner.consume(byteCount - given);
  }

  respond(status: number, headers: HeaderBlock, end?: boolean): void {
    this.inner.respond(status, headers, end);
  }

  write(bytes: Uint8Array, end?: boolean): boolean {
    return this.inner.write(bytes, end);
  }

  trailers(headers: HeaderBlock): void {
    this.inner.trailers(headers);
  }

  reset(code: number): void {
    this.inner.reset(code);
  }

  /** What comes after it was made: whoever listened to the stream passes it on. */
  take(bytes: Uint8Array, end: boolean): void {
    if (this.isReplayed) {
      this.handler(bytes, end);
      return;
    }
    this.held.push(Uint8Array.from(bytes));
    this.hasEnded ||= end;
  }

  private replay(): void {
    if (this.isReplayed) return;
    this.isReplayed = true;
    const whole = Buffer.concat(this.held);
    this.held.length = 0;
    this.handler(whole, this.hasEnded);
  }
}

function ignore(): void {}
