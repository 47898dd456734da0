/** What a stream knows of its request: the head, the connection, and the body that came before anyone listened. */

import type { RequestHead, RequestHeaders } from "./request-head.ts";
import type { StreamOwner } from "./stream-owner.ts";

/** The part of a stream that only reads: what the request's head and its connection say. */
export class RequestView {
  readonly httpVersion = 2;
  readonly head: RequestHead;
  caller: unknown = undefined;
  protected readonly owner: StreamOwner;

  constructor(owner: StreamOwner, head: RequestHead) {
    this.owner = owner;
    this.head = head;
  }

  get method(): string {
    return this.head.method;
  }

  get path(): string {
    return this.head.path;
  }

  get authority(): string {
    return this.head.authority;
  }

  get headers(): RequestHeaders {
    return this.head.headers;
  }

  get encrypted(): boolean {
    return this.owner.encrypted;
  }

  get connection(): object {
    return this.owner.socket;
  }

  get remoteAddress(): string {
    return this.owner.remoteAddress;
  }
}

/**
 * What came of a body before its handler listened, put together: kept frame by frame, frames of one octet would take a hundred
 * times their size.
 */
export class EarlyBody {
  /** The last octet has come. */
  end = false;
  private kept = Buffer.alloc(0);
  private length = 0;

  /** All that came, in one piece. */
  get bytes(): Uint8Array {
    return this.kept.subarray(0, this.length);
  }

  /** Copies a piece. */
  add(piece: Uint8Array, end: boolean): void {
    const length = this.length + piece.length;
    if (length > this.kept.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.kept.length));
      grown.set(this.bytes);
      this.kept = grown;
    }
    this.kept.set(piece, this.length);
    this.length = length;
    this.end ||= end;
  }
}
