import { STATUS_CODES } from "node:http";
import type { HeaderBlock } from "../../http2/stream.ts";

/** How an answer ends: by its length, or in chunks. */
export interface HeadText {
  readonly text: string;
  readonly isChunked: boolean;
}

/** Octets that `node:http` refuses in a value: with them one field could become two, or two answers. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/;

const bases = new WeakMap<HeaderBlock, HeadText>();
const statusLines = new Map<number, string>();
let dateText = "";
let dateUntilMs = 0;

/**
 * The head of an answer as `node:http` writes it: the handler's fields, then Date and what becomes of the connection. Throws where a value
 * has octets that end a line.
 */
export function headText(status: number, headers: HeaderBlock, connectionFields: string): HeadText {
  const { base, own } = headers;
  let { text, isChunked } = base === undefined ? NO_FIELDS : baseText(base);
  for (const [name, value] of own) {
    if (FORBIDDEN.test(value)) throw forbidden(name);
    if (name === "content-length") isChunked = false;
    text += `${name}: ${value}\r\n`;
  }
  const framing = isChunked ? "transfer-encoding: chunked\r\n" : "";
  text = `${statusLine(status)}${text}${dateField()}${connectionFields}${framing}\r\n`;
  return { text, isChunked };
}

/** What `node:http` says of a connection that goes on: for how long nothing need come on it. */
export function keepAliveFields(idleTimeoutMs: number): string {
  return `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(idleTimeoutMs / 1000)}\r\n`;
}

/** What is said of a connection that ends with the answer. */
export const CLOSE_FIELDS = "connection: close\r\n";

const NO_FIELDS: HeadText = { text: "", isChunked: true };

/** A block that answers share is written once. */
function baseText(base: HeaderBlock): HeadText {
  let known = bases.get(base);
  if (known === undefined) {
    let text = "";
    let isChunked = true;
    for (const [name, value] of base.fields) {
      if (FORBIDDEN.test(value))
        throw new Error(`an answer's field ${name} has octets that no field may have`);
      if (name === "content-length") isChunked = false;
      text += `${name}: ${value}\r\n`;
    }
    known = { text, isChunked };
    bases.set(base, known);
  }
  return known;
}

function forbidden(name: string): Error {
  return new Error(`an answer's field ${name} has octets that no field may have`);
}

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}

/** Made anew once a second. */
function dateField(): string {
  const nowMs = Date.now();
  if (nowMs >= dateUntilMs || nowMs < dateUntilMs - 1000) {
    dateUntilMs = nowMs - (nowMs % 1000) + 1000;
    dateText = `date: ${new Date(nowMs).toUTCString()}\r\n`;
  }
  return dateText;
}
