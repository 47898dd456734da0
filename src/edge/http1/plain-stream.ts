import type { CancelReason, HeaderBlock, Headers, ServerStream } from "../../http2/stream.ts";
import { CLOSE_FIELDS, type HeadText, headText } from "./head-text.ts";
import type { PlainHead } from "./plain-head.ts";

/** The connection of streams: what they tell it and ask of it. */
export interface StreamOwner {
  readonly encrypted: boolean;
  readonly remoteAddress: string;
  readonly socket: object;
  readonly windowBytes: number;
  readonly keepAliveFields: string;
  /** Asked when an answer begins: whether it is the last of its connection. */
  isLastAnswer(): boolean;
  /** Sends a part of an answer in its turn; false where it has to wait. `head` comes first; it may be empty. */
  send(stream: PlainStream, head: string, bytes: Uint8Array): boolean;
  /** The whole of an answer was sent. */
  answered(stream: PlainStream): void;
  /** So much of a request was taken that more may come, or is not wanted any more. */
  flow(): void;
  /** Ends the connection at once. */
  destroy(): void;
}

const NO_BYTES = new Uint8Array(0);
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
const CRLF = Buffer.from("\r\n");

/** One plain HTTP/1.1 exchange as a ServerStream. A class with methods: V8 compiles them once, and what a call makes dies young. */
export class PlainStream implements ServerStream {
  readonly method = "POST";
  readonly httpVersion = 1;
  readonly path: string;
  readonly authority: string;
  readonly headers: Headers;
  caller: unknown = undefined;
  onCancel: (reason: CancelReason) => void = nothing;
  onDrain: () => void = nothing;
  /** Parts of the answer that wait for the answers before it. */
  waiting: Uint8Array[] | undefined = undefined;
  waitingBytes = 0;
  /** The answer is whole, or will never be. */
  isDone = false;
  hasBegun = false;
  /** A writer was told to wait. */
  isBlocked = false;
  private readonly owner: StreamOwner;
  private handler: ServerStream["onData"] | undefined = undefined;
  private unconsumed = 0;
  private held: Uint8Array[] | undefined = undefined;
  private heldEnd = false;
  private isReplayDue = false;
  private head: HeadText | undefined = undefined;
  private isChunked = false;

  constructor(head: PlainHead, owner: StreamOwner) {
    this.path = head.path;
    this.authority = head.authority;
    this.headers = head.headers;
    this.owner = owner;
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

  get onData(): ServerStream["onData"] {
    return this.handler ?? nothing;
  }

  set onData(handler: ServerStream["onData"]) {
    this.handler = handler;
    if (this.held === undefined || this.isReplayDue) return;
    this.isReplayDue = true;
    process.nextTick(replayHeld, this);
  }

  /** Whether the peer has sent as much as it may before some of it is consumed. */
  get isFull(): boolean {
    return !this.isDone && this.unconsumed >= this.owner.windowBytes;
  }

  /** What is kept of the body for a listener that is not there yet. */
  get heldBytes(): number {
    return this.held === undefined || this.isDone ? 0 : this.unconsumed;
  }

  /** Takes a part of the body, a view that need not stay. */
  take(bytes: Uint8Array, end: boolean): void {
    if (this.isDone) return;
    this.unconsumed += bytes.length;
    if (this.handler !== undefined && this.held === undefined) {
      this.handler(bytes, end);
      return;
    }
    this.held ??= [];
    if (bytes.length > 0) this.held.push(Uint8Array.prototype.slice.call(bytes));
    this.heldEnd = end;
    if (this.handler !== undefined && !this.isReplayDue) {
      this.isReplayDue = true;
      process.nextTick(replayHeld, this);
    }
  }

  /** Hands over what came before there was a listener. */
  replay(): void {
    this.isReplayDue = false;
    const { held, handler, heldEnd } = this;
    if (held === undefined || handler === undefined || this.isDone) return;
    this.held = undefined;
    handler(held.length === 1 ? held[0]! : Buffer.concat(held), heldEnd);
  }

  consume(byteCount: number): void {
    const wasFull = this.isFull;
    this.unconsumed -= byteCount;
    if (wasFull && !this.isFull) this.owner.flow();
  }

  respond(status: number, headers: HeaderBlock, end = false): void {
    if (this.isDone || this.hasBegun) return;
    const { owner } = this;
    const head = headText(status, headers, owner.isLastAnswer() ? CLOSE_FIELDS : owner.keepAliveFields);
    this.hasBegun = true;
    this.head = head;
    this.isChunked = head.isChunked;
    if (end) this.write(NO_BYTES, true);
    // One packet where a body follows at once; alone where the handler waits with it.
    else sendLater(this);
  }

  write(bytes: Uint8Array, end = false): boolean {
    if (this.isDone || !this.hasBegun) return true;
    const head = this.takeHead();
    const isReady = this.isChunked ? this.writeChunk(head, bytes, end) : this.owner.send(this, head, bytes);
    if (end) this.end();
    else if (!isReady) this.isBlocked = true;
    return isReady;
  }

  trailers(headers: HeaderBlock): void {
    if (this.isDone || !this.hasBegun) return;
    let text = this.takeHead();
    if (this.isChunked) {
      text += "0\r\n";
      for (const [name, value] of headers.fields) text += `${name}: ${value}\r\n`;
      text += "\r\n";
    }
    this.owner.send(this, text, NO_BYTES);
    this.end();
  }

  reset(): void {
    if (this.isDone) return;
    this.isDone = true;
    this.owner.destroy();
  }

  /** The caller has gone, or is not waited for. */
  cancel(reason: CancelReason): void {
    if (this.isDone) return;
    this.isDone = true;
    this.onCancel(reason);
  }

  /** Sends a head whose body does not come with it. */
  flushHead(): void {
    if (this.head !== undefined && !this.isDone) this.owner.send(this, this.takeHead(), NO_BYTES);
  }

  private writeChunk(head: string, bytes: Uint8Array, end: boolean): boolean {
    if (bytes.length === 0) return this.owner.send(this, head, end ? LAST_CHUNK : NO_BYTES);
    const whole = Buffer.concat([bytes, CRLF, end ? LAST_CHUNK : NO_BYTES]);
    return this.owner.send(this, `${head}${bytes.length.toString(16)}\r\n`, whole);
  }

  private takeHead(): string {
    const { head } = this;
    this.head = undefined;
    return head === undefined ? "" : head.text;
  }

  private end(): void {
    this.isDone = true;
    this.held = undefined;
    this.owner.answered(this);
  }
}

function nothing(): void {}

function replayHeld(stream: PlainStream): void {
  stream.replay();
}

let headsDue: PlainStream[] = [];

/** A tick for each answer would cost more than its head. */
function sendLater(stream: PlainStream): void {
  if (headsDue.push(stream) === 1) process.nextTick(sendHeads);
}

function sendHeads(): void {
  const due = headsDue;
  headsDue = [];
  for (const stream of due) stream.flushHead();
}
