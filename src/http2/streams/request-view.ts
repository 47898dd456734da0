import type { RequestHead, RequestHeaders } from "./request-head.ts";
import type { StreamOwner } from "./stream-owner.ts";

/** The part of a stream that only reads: what the request's head and its connection say. */
export class RequestView {
  readonly httpVersion = 2;
  readonly head: RequestHead;
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

  get remoteAddress(): string {
    return this.owner.remoteAddress;
  }
}
