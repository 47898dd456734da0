import { compressionNegotiate } from "@connectrpc/connect/protocol";
import type { Headers } from "../../http2/stream.ts";
import type { MessageCompression } from "../call/compression.ts";
import type { CallFields } from "./unary-form.ts";

/** The header block of a plain call, read. */
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

const MOST_KEPT = 64;

/** The compression of answers, by what a caller says that it takes: clients say the same thing again and again. */
export class AcceptedEncodings {
  private readonly available: readonly MessageCompression[];
  private readonly known = new Map<string, MessageCompression | undefined>();

  constructor(available: readonly MessageCompression[]) {
    this.available = available;
  }

  /** By the value of the field, as Connect's handlers choose; undefined for none. */
  of(value: string | undefined): MessageCompression | undefined {
    if (value === undefined) return undefined;
    const found = this.known.get(value);
    if (found !== undefined || this.known.has(value)) return found;
    const { response } = compressionNegotiate([...this.available], null, value, "");
    const chosen = response === null ? undefined : this.available.find(({ name }) => name === response.name);
    if (this.known.size === MOST_KEPT) this.known.clear();
    this.known.set(value, chosen);
    return chosen;
  }
}
