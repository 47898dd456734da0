import type { CallAnswer } from "../protocol/call-form.ts";

/** Far above what a server answers, and still a limit. */
const MAX_BODY_BYTES = 268_435_456;
const MAX_HEAD_BYTES = 65_536;
const HEAD_END = Buffer.from("\r\n\r\n");
const NO_BYTES = Buffer.alloc(0);

/** One answer of HTTP/1.1. */
class Http1Answer implements CallAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** Status line and fields, each behind a line end. */
  private readonly head: string;

  constructor(status: number, head: string, body: Buffer) {
    this.status = status;
    this.head = head;
    this.body = body;
  }

  field(name: string): string | undefined {
    return fieldOf(this.head, name);
  }

  /** Nothing that Assay speaks over HTTP/1.1 has fields behind the body. */
  trailer(): undefined {
    return undefined;
  }
}

/** What is being read. */
type Part = "head" | "length" | "chunk-size" | "chunk" | "chunk-end" | "trailers" | "rest";

/**
 * Takes answers out of the octets of a connection, one call after another (RFC 9112 section 6). Throws Error for what is no answer of
 * HTTP/1.1, and for one beyond 256 MiB.
 */
export class Http1Answers {
  private readonly onAnswer: (answer: CallAnswer, mayGoOn: boolean) => void;
  private part: Part = "head";
  /** Of a head or a line, what has come of it. */
  private held: Buffer = NO_BYTES;
  private head = "";
  private status = 0;
  private pieces: Buffer[] = [];
  private bodyBytes = 0;
  /** Of the body or the chunk. */
  private left = 0;

  constructor(onAnswer: (answer: CallAnswer, mayGoOn: boolean) => void) {
    this.onAnswer = onAnswer;
  }

  /** Takes what came. */
  read(chunk: Buffer): void {
    let rest = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    this.held = NO_BYTES;
    while (rest.length > 0) {
      const used = this.readPart(rest);
      if (used < 0) {
        if (rest.length > MAX_HEAD_BYTES) throw new Error("a head or a line of more than 64 KiB came");
        this.held = rest;
        return;
      }
      rest = rest.subarray(used);
    }
  }

  /** The peer has ended the connection: the end of a body that nothing else ends. */
  end(): void {
    if (this.part === "rest") this.finish(false);
  }

  /** Takes the part at the start of `bytes`; gives the octets of it, -1 where its end has not come. */
  private readPart(bytes: Buffer): number {
    switch (this.part) {
      case "head":
        return this.readHead(bytes);
      case "length":
      case "chunk":
      case "rest":
        return this.readBody(bytes);
      default:
        return this.readLine(bytes);
    }
  }

  private readHead(bytes: Buffer): number {
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return -1;
    this.head = bytes.toString("latin1", 0, end);
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(this.head)?.[1];
    if (status === undefined)
      throw new Error(`${JSON.stringify(this.head.slice(0, 40))} came, which is no HTTP/1.1`);
    this.status = Number(status);
    const used = end + HEAD_END.length;
    // What is said on the way, such as 100 Continue, is no answer.
    if (this.status < 200) return used;
    const length = fieldOf(this.head, "content-length");
    if (/chunked/i.test(fieldOf(this.head, "transfer-encoding") ?? "")) this.part = "chunk-size";
    else if (length === undefined && this.status !== 204) {
      this.part = "rest";
      this.left = MAX_BODY_BYTES;
    } else {
      this.part = "length";
      this.expect(Number(length ?? 0));
      if (this.left === 0) this.finish(true);
    }
    return used;
  }

  private readBody(bytes: Buffer): number {
    const count = Math.min(this.left, bytes.length);
    this.pieces.push(bytes.subarray(0, count));
    this.left -= count;
    if (this.left > 0) return count;
    if (this.part === "rest") throw new Error("an answer of more than 256 MiB came");
    if (this.part === "chunk") this.part = "chunk-end";
    else this.finish(true);
    return count;
  }

  private readLine(bytes: Buffer): number {
    const end = bytes.indexOf("\r\n");
    if (end < 0) return -1;
    if (this.part === "chunk-end") this.part = "chunk-size";
    else if (this.part === "chunk-size") {
      const size = Number.parseInt(bytes.toString("latin1", 0, end), 16);
      this.part = size === 0 ? "trailers" : "chunk";
      this.expect(size);
    } else if (end === 0) this.finish(true);
    return end + 2;
  }

  private expect(bytes: number): void {
    this.left = bytes;
    this.bodyBytes += bytes;
    if (!(this.bodyBytes <= MAX_BODY_BYTES)) throw new Error(`an answer of ${this.bodyBytes} bytes came`);
  }

  private finish(mayGoOn: boolean): void {
    const body = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
    const closes = /close/i.test(fieldOf(this.head, "connection") ?? "");
    const answer = new Http1Answer(this.status, this.head, body);
    this.part = "head";
    this.pieces = [];
    this.bodyBytes = 0;
    this.onAnswer(answer, mayGoOn && !closes);
  }
}

/** A field's value in a head; only those that are asked for are ever read. */
function fieldOf(head: string, name: string): string | undefined {
  return fieldPattern(name).exec(head)?.[1];
}

const patterns = new Map<string, RegExp>();

function fieldPattern(name: string): RegExp {
  let pattern = patterns.get(name);
  if (pattern === undefined) {
    pattern = new RegExp(`\\r\\n${name}:[ \\t]*(.*?)[ \\t]*(?:\\r\\n|$)`, "i");
    patterns.set(name, pattern);
  }
  return pattern;
}
