/** What a request's header block says, checked once (RFC 9113 sections 8.2 and 8.3). Pure. */
import type { DecodedFields } from "../hpack/hpack-decoder.ts";
import type { Headers } from "../stream.ts";

/** Fields without the pseudo-headers. The same object serves every call whose block was byte-identical. */
export class RequestHeaders implements Headers {
  private readonly names: readonly string[];
  private readonly values: readonly string[];
  private fields: readonly (readonly [name: string, value: string])[] | undefined = undefined;

  constructor(names: readonly string[], values: readonly string[]) {
    this.names = names;
    this.values = values;
  }

  get(name: string): string | undefined {
    const index = this.names.indexOf(name);
    return index < 0 ? undefined : this.values[index];
  }

  getAll(name: string): readonly string[] {
    return this.values.filter((_, index) => this.names[index] === name);
  }

  entries(): readonly (readonly [name: string, value: string])[] {
    this.fields ??= this.names.map((name, index) => [name, this.values[index]!] as const);
    return this.fields;
  }
}

/** A request's control data and fields. Immutable and shared between calls. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: RequestHeaders;
  /** From `content-length`; -1 where there is none. */
  readonly contentLength: number;
  readonly expectsContinue: boolean;
  /** Octets of the list as section 6.5.2 counts them. */
  readonly listBytes: number;
  /** Set when the list was longer than allowed. */
  readonly tooLarge: boolean;
  /** Why the request is malformed (section 8.1.1), or undefined. */
  readonly malformed: string | undefined;
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PSEUDO = [":method", ":scheme", ":path", ":authority"];
const CONNECTION_FIELDS = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

function fieldFault(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return `field name ${JSON.stringify(name)} is not a lower-case token (8.2.1)`;
  if (BAD_VALUE.test(value)) return `the value of "${name}" holds forbidden octets (8.2.1)`;
  if (CONNECTION_FIELDS.includes(name)) return `"${name}" is a connection-specific field (8.2.2)`;
  if (name === "te" && value.toLowerCase() !== "trailers") return `"te" is not "trailers" (8.2.2)`;
  return undefined;
}

function pathFault(method: string, path: string): string | undefined {
  if (path.startsWith("/") || (path === "*" && method === "OPTIONS")) return undefined;
  return `:path ${JSON.stringify(path)} neither starts with "/" nor is the "*" of OPTIONS (8.3.1)`;
}

/** Reads a decoded block as a request. What is malformed is said in the result: it ends the stream, never the connection. */
export function requestHead(fields: DecodedFields): RequestHead {
  const pseudo: (string | undefined)[] = [undefined, undefined, undefined, undefined];
  let fault: string | undefined;
  let regular = 0;
  for (; regular < fields.names.length && fields.names[regular]!.startsWith(":"); regular++) {
    const name = fields.names[regular]!;
    const index = PSEUDO.indexOf(name);
    if (index < 0) fault ??= `${name} is no pseudo-header of a request (8.3.1)`;
    else if (pseudo[index] !== undefined) fault ??= `${name} comes twice (8.3.1)`;
    else if (BAD_VALUE.test(fields.values[regular]!)) fault ??= `${name} holds forbidden octets (8.2.1)`;
    else pseudo[index] = fields.values[regular]!;
  }
  const names = fields.names.slice(regular);
  const values = fields.values.slice(regular);
  let contentLength = -1;
  for (let i = 0; i < names.length; i++) {
    fault ??= fieldFault(names[i]!, values[i]!);
    if (names[i] === "content-length") {
      const length = /^\d{1,15}$/.test(values[i]!) ? Number(values[i]) : -2;
      if (length === -2 || (contentLength >= 0 && contentLength !== length)) {
        fault ??= `content-length ${JSON.stringify(values[i])} is not one length (8.1.1)`;
      }
      contentLength = length;
    }
  }
  const headers = new RequestHeaders(names, values);
  const [method, scheme, path, authority] = pseudo;
  const host = headers.get("host");
  if (method === undefined || !METHOD.test(method)) fault ??= ":method is missing or no token (8.3.1)";
  else if (method === "CONNECT") {
    if (scheme !== undefined || path !== undefined || authority === undefined) {
      fault ??= "CONNECT takes :authority and neither :scheme nor :path (8.5)";
    }
  } else {
    if (scheme === undefined || scheme === "") fault ??= ":scheme is missing (8.3.1)";
    fault ??= path === undefined ? ":path is missing (8.3.1)" : pathFault(method, path);
  }
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase()) {
    fault ??= ":authority and host name different hosts (8.3.1)";
  }
  return {
    method: method ?? "",
    path: path ?? "",
    authority: authority ?? host ?? "",
    headers,
    contentLength,
    expectsContinue: headers.get("expect")?.toLowerCase() === "100-continue",
    listBytes: fields.listBytes,
    tooLarge: fields.truncated,
    malformed: fault,
  };
}

/** Why a trailer block is malformed, or undefined: no pseudo-headers, otherwise fields like any others (8.1). */
export function trailerFault(fields: DecodedFields): string | undefined {
  for (const [index, name] of fields.names.entries()) {
    if (name.startsWith(":")) return `${name} stands in a trailer (8.1)`;
    const fault = fieldFault(name, fields.values[index]!);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
