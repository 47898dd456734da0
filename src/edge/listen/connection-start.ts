/** What the first octets of a connection say that it speaks, and what one is sent that is not served. */
const FRAME_HEADER_BYTES = 9;
const GOAWAY = 7;
const SETTINGS = 4;
const ENHANCE_YOUR_CALM = 11;

const INADEQUATE_SECURITY = 12;

/** What a connection beyond a limit is sent before it is closed: the limit's name, in its own HTTP version. */
export function connectionRefusal(kind: "http1" | "http2", message: string): Buffer {
  if (kind === "http2") return goAway(message, ENHANCE_YOUR_CALM);
  const body = JSON.stringify({ code: "resource_exhausted", message });
  return http1Response("503 Service Unavailable", body, "retry-after: 1\r\n");
}

/**
 * What is sent to whoever speaks TLS on a port without it, or none on a port with it. A TLS client cannot read the answer, but
 * tells from it that no TLS is spoken here ("wrong version number") where a connection that is closed tells nothing.
 */
export function wrongEncryption(came: "http1" | "http2" | "tls"): { message: string; answer: Buffer } {
  const message =
    came === "tls"
      ? "a TLS handshake came, and this port speaks none: use http:// (grpc: an insecure channel, grpcurl -plaintext), or start the server with --tls-cert and --tls-key"
      : "a request without TLS came, and this port takes TLS only: use https:// (grpc: a secure channel, grpcurl without -plaintext)";
  if (came === "http2") return { message, answer: goAway(message, INADEQUATE_SECURITY) };
  const body = JSON.stringify({ code: "invalid_argument", message });
  return { message, answer: http1Response("400 Bad Request", body, "") };
}

function http1Response(status: string, body: string, fields: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${fields}connection: close\r\n\r\n${body}`,
  );
}

/** The server's preface, an empty SETTINGS frame, and GOAWAY with the message as its debug data (RFC 9113, 6.8). */
function goAway(message: string, code: number): Buffer {
  const payload = Buffer.alloc(8 + Buffer.byteLength(message));
  payload.writeUInt32BE(code, 4);
  payload.write(message, 8);
  return Buffer.concat([frameHeader(0, SETTINGS), frameHeader(payload.length, GOAWAY), payload]);
}

function frameHeader(length: number, type: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(type, 3);
  return header;
}

/** What the first bytes of a connection say it speaks; `tls`: they begin a handshake; `more`: too few to tell. */
export type FirstBytes = "http1" | "http2" | "tls" | "unknown" | "more";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const PREFACE_LINE_BYTES = 16;
const MAX_METHOD_BYTES = 32;
const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^\s]+ HTTP\/1\.[01]\r?$/;
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** The first octet of a TLS record that holds a handshake (RFC 8446, 5.1); no HTTP request begins with it. */
const HANDSHAKE = 22;
const LF = 10;
const CR = 13;
const SPACE = 32;

/**
 * Tells what is spoken from the bytes so far: a TLS handshake, the HTTP/2 preface (RFC 9113, 3.4), a whole HTTP/1.x request line, or
 * none of these. A line longer than `maxLineBytes` goes to HTTP/1.1, which refuses it by the name of its limit.
 */
export function firstBytes(bytes: Buffer, maxLineBytes: number): FirstBytes {
  if (bytes[0] === HANDSHAKE) return "tls";
  const common = Math.min(bytes.length, PREFACE.length);
  if (bytes.subarray(0, common).equals(PREFACE.subarray(0, common))) {
    return bytes.length >= PREFACE_LINE_BYTES ? "http2" : "more";
  }
  let start = 0;
  while (bytes[start] === CR || bytes[start] === LF) start++;
  if (start > 4) return "unknown";
  const end = bytes.indexOf(LF, start);
  if (end !== -1) return REQUEST_LINE.test(bytes.toString("latin1", start, end)) ? "http1" : "unknown";
  const space = bytes.indexOf(SPACE, start);
  const methodEnd = space === -1 ? bytes.length : space;
  if (methodEnd - start > MAX_METHOD_BYTES) return "unknown";
  if (methodEnd > start && !METHOD.test(bytes.toString("latin1", start, methodEnd))) return "unknown";
  if (space === start) return "unknown";
  return bytes.length > maxLineBytes ? "http1" : "more";
}

/** How long what happens again is only counted. */
const INTERVAL_MS = 10_000;

/** Tells of what may happen thousands of times a second, at most once in ten seconds: at once, then how often it was since. */
export class Seldom {
  private readonly tell: (count: number) => void;
  private count = 0;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(tell: (count: number) => void) {
    this.tell = tell;
  }

  /** It happened. */
  happened(): void {
    this.count++;
    if (this.timer === undefined) this.flush();
  }

  private flush(): void {
    this.timer = undefined;
    if (this.count === 0) return;
    const { count } = this;
    this.count = 0;
    this.timer = setTimeout(() => this.flush(), INTERVAL_MS).unref();
    this.tell(count);
  }
}
