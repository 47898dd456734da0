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
