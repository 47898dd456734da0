/** A body that is sent again and again: its tag by which callers keep it, and its compressed form. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { PlainRequest, PlainResponse } from "./plain-http.ts";

const compress = promisify(gzip);
/** Smaller ones gain nothing. */
const COMPRESS_MIN_BYTES = 1024;

/** The octets of one body; they are never changed. */
export class KeptBody {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  private readonly etag: string;
  private compressed: Promise<Uint8Array> | undefined;

  /** `digest`: of the octets, where it is known already. */
  constructor(bytes: Uint8Array, contentType: string, digest?: string) {
    this.bytes = bytes;
    this.contentType = contentType;
    this.etag = (digest ?? createHash("sha256").update(bytes).digest("base64url")).slice(0, 27);
  }

  /** What it takes of memory, with its compressed form. */
  get byteLength(): number {
    return this.bytes.length + (this.compressed === undefined ? 0 : this.bytes.length >> 2);
  }

  /** Answers a request: 304 to whoever has it already. `fields` are of both. */
  async answer(
    { headers }: Pick<PlainRequest, "headers">,
    fields: readonly (readonly [string, string])[],
  ): Promise<PlainResponse> {
    const isCompressed = this.bytes.length >= COMPRESS_MIN_BYTES && takesGzip(headers.get("accept-encoding"));
    // Each form has a tag of its own (RFC 9110, 8.8.3.3).
    const etag = `"${this.etag}${isCompressed ? "-gzip" : ""}"`;
    const all: (readonly [string, string])[] = [...fields, ["etag", etag]];
    if (names(headers.get("if-none-match"), etag)) return { status: 304, body: NOTHING, fields: all };
    const { contentType } = this;
    if (!isCompressed) return { status: 200, body: this.bytes, contentType, fields: all };
    this.compressed ??= compress(this.bytes);
    all.push(["content-encoding", "gzip"]);
    return { status: 200, body: await this.compressed, contentType, fields: all };
  }
}

const NOTHING = new Uint8Array(0);

function takesGzip(field: string | undefined): boolean {
  if (field === undefined) return false;
  return field.split(",").some((one) => /^\s*(x-)?gzip\s*(;(?!\s*q=0(\.0*)?\s*$)|$)/i.test(one));
}

function names(field: string | undefined, etag: string): boolean {
  if (field === undefined) return false;
  return field.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === etag);
}
