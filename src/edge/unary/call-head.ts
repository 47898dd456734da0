import type { Headers } from "../../http2/stream.ts";
import type { CallFields } from "./unary-form.ts";

/** What the header block of a plain call says. */
export interface CallHead {
  /** The caller's own timeout; undefined: none. */
  readonly timeoutMs: number | undefined;
  readonly acceptEncoding: string | undefined;
}

const TIMEOUTS = new Set(["grpc-timeout", "connect-timeout-ms"]);

/** Reads a header block; undefined where the call is not plain: compressed, a timeout that is malformed or another protocol's, a field twice. */
export function readCallHead(headers: Headers, fields: CallFields): CallHead | undefined {
  let types = 0;
  let encodings = 0;
  let timeoutMs: number | undefined;
  let acceptEncoding: string | undefined;
  for (const [name, value] of headers.entries()) {
    if (name === "content-type") types++;
    else if (name === fields.encoding) {
      encodings++;
      if (value !== "identity") return undefined;
    } else if (name === fields.acceptEncoding) {
      if (acceptEncoding !== undefined) return undefined;
      acceptEncoding = value;
    } else if (TIMEOUTS.has(name)) {
      if (name !== fields.timeout || timeoutMs !== undefined) return undefined;
      timeoutMs = fields.parseTimeout(value);
      if (timeoutMs === undefined) return undefined;
    }
  }
  return types > 1 || encodings > 1 ? undefined : { timeoutMs, acceptEncoding };
}
