/**
 * Which HTTP/1.1 requests are read here and not by `node:http`: those that nobody can read in two ways. Comes in: octets. Goes out: the
 * head of a plain request, or that more octets are needed, or that it is another's. Pure.
 * Promises: a request is plain only where it is `POST` to a hot path, in origin form, of HTTP/1.1, its lines end with CRLF, and its
 * length stands in one Content-Length; when in doubt it is not.
 */
import type { Headers } from "../../http2/stream.ts";
import { FieldList } from "../call/field-list.ts";

/** A request line and its fields. */
export interface PlainHead {
  readonly path: string;
  readonly authority: string;
  readonly headers: Headers;
  /** Content-Length. */
  readonly bodyBytes: number;
  /** With the empty line behind the fields. */
  readonly byteCount: number;
}

/** `more`: what came may begin a plain head; `other`: it does not. */
export type HeadVerdict = PlainHead | "more" | "other";

/** What a head is held to. */
export interface HeadRules {
  /** Whether a path, without query and escapes, is that of a call that is served here. */
  isHot(path: string): boolean;
  /** A head that may be larger, by any way to count, is another's, who refuses it. */
  readonly maxHeadBytes: number;
  /** A body that is larger is another's, who refuses it. */
  readonly maxBodyBytes: number;
}

const MAX_FIELDS = 100;
/** What HTTP/2 counts for a field beside its octets, as the router does. */
const FIELD_BYTES = 32;

const METHOD = Buffer.from("POST /");
const VERSION = Buffer.from(" HTTP/1.1\r\n");
const CR = 13;
const LF = 10;
const SPACE = 32;
const COLON = 58;

/** Fields that say how a message is framed, coded or carried on, or that an answer is waited for before the body. */
const OTHERS_FIELDS = new Set([
  "content-encoding",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** Fields that come once. */
const SINGLE_FIELDS = new Set(["connection", "content-length", "content-type", "host"]);
const HOST = /^[A-Za-z0-9.[\]:-]+$/;
const LENGTH = /^(0|[1-9]\d{0,9})$/;

const PATH_OCTET = 1;
const NAME_OCTET = 2;
const VALUE_OCTET = 4;
const KINDS = octetKinds();

/** Reads the head that begins at `start`; what is behind the octets so far is not known yet. */
export function readPlainHead(bytes: Buffer, start: number, rules: HeadRules): HeadVerdict {
  const methodEnd = matched(bytes, start, METHOD);
  if (typeof methodEnd === "string") return methodEnd;
  const pathStart = methodEnd - 1;
  const pathEnd = past(bytes, pathStart, PATH_OCTET);
  if (pathEnd === bytes.length) return unfinished(bytes, start, rules);
  if (bytes[pathEnd] !== SPACE) return "other";
  const path = bytes.toString("latin1", pathStart, pathEnd);
  if (!rules.isHot(path)) return "other";
  const fieldsStart = matched(bytes, pathEnd, VERSION);
  if (typeof fieldsStart === "string") return fieldsStart;
  const fields: [string, string][] = [];
  const end = readFields(bytes, fieldsStart, fields);
  if (end === "other") return "other";
  if (end === "more") return unfinished(bytes, start, rules);
  return judged(path, fields, end - start, rules);
}

/** Where the empty line ends. */
function readFields(bytes: Buffer, start: number, fields: [string, string][]): number | "more" | "other" {
  let at = start;
  for (;;) {
    if (at === bytes.length) return "more";
    if (bytes[at] === CR) {
      if (at + 1 === bytes.length) return "more";
      return bytes[at + 1] === LF ? at + 2 : "other";
    }
    const nameEnd = past(bytes, at, NAME_OCTET);
    if (nameEnd === bytes.length) return "more";
    if (nameEnd === at || bytes[nameEnd] !== COLON || fields.length === MAX_FIELDS) return "other";
    let valueStart = nameEnd + 1;
    while (bytes[valueStart] === SPACE) valueStart++;
    const lineEnd = past(bytes, valueStart, VALUE_OCTET);
    if (lineEnd === bytes.length) return "more";
    if (bytes[lineEnd] !== CR) return "other";
    if (lineEnd + 1 === bytes.length) return "more";
    if (bytes[lineEnd + 1] !== LF) return "other";
    let valueEnd = lineEnd;
    while (valueEnd > valueStart && bytes[valueEnd - 1] === SPACE) valueEnd--;
    fields.push([
      bytes.toString("latin1", at, nameEnd).toLowerCase(),
      bytes.toString("latin1", valueStart, valueEnd),
    ]);
    at = lineEnd + 2;
  }
}

function judged(
  path: string,
  fields: readonly [string, string][],
  byteCount: number,
  rules: HeadRules,
): PlainHead | "other" {
  if (byteCount + fields.length * FIELD_BYTES > rules.maxHeadBytes) return "other";
  const single = new Map<string, string>();
  for (const [name, value] of fields) {
    if (OTHERS_FIELDS.has(name)) return "other";
    if (!SINGLE_FIELDS.has(name)) continue;
    if (single.has(name)) return "other";
    single.set(name, value);
  }
  const authority = single.get("host") ?? "";
  const length = single.get("content-length") ?? "";
  const connection = single.get("connection") ?? "keep-alive";
  if (!HOST.test(authority) || !LENGTH.test(length)) return "other";
  if (connection.toLowerCase() !== "keep-alive") return "other";
  const bodyBytes = Number(length);
  if (bodyBytes > rules.maxBodyBytes) return "other";
  return { path, authority, headers: new FieldList(fields), bodyBytes, byteCount };
}

/** Where `expected` ends. */
function matched(bytes: Buffer, start: number, expected: Buffer): number | "more" | "other" {
  for (let i = 0; i < expected.length; i++) {
    if (start + i === bytes.length) return "more";
    if (bytes[start + i] !== expected[i]) return "other";
  }
  return start + expected.length;
}

/** The first octet from `start` on that is of another kind. */
function past(bytes: Buffer, start: number, kind: number): number {
  let at = start;
  while (at < bytes.length && (KINDS[bytes[at]!]! & kind) !== 0) at++;
  return at;
}

function unfinished(bytes: Buffer, start: number, rules: HeadRules): "more" | "other" {
  return bytes.length - start > rules.maxHeadBytes ? "other" : "more";
}

function octetKinds(): Uint8Array {
  const kinds = new Uint8Array(256);
  for (let octet = 0x20; octet < 0x7f; octet++) {
    const text = String.fromCharCode(octet);
    kinds[octet] =
      VALUE_OCTET |
      (/[A-Za-z0-9-]/.test(text) ? NAME_OCTET : 0) |
      (/[A-Za-z0-9._~:/-]/.test(text) ? PATH_OCTET : 0);
  }
  return kinds;
}
