import type { Headers as StreamHeaders } from "../../http2/stream.ts";
import type { CallTrace } from "../../service/call.ts";
import { IDENTITY } from "./content-coding.ts";
import type { WireProtocol } from "./content-type.ts";
import { corsFields } from "./cors.ts";
import type { EdgeCall } from "./edge-call.ts";
import { LONGEST_TIMER_MS, parseConnectTimeout, parseGrpcTimeout } from "./timeout-header.ts";

type Field = readonly [name: string, value: string];

/**
 * A stream's fields as a web Headers object, for Connect's handlers; gRPC-Web text is announced as binary. A timeout that is longer than
 * Node's timers is left out, since Connect would end such a call at once: the call's own deadline holds. gRPC's answers are encoded as its
 * requests are.
 */
export function universalHeaders(headers: StreamHeaders, wire: WireProtocol): Headers {
  const result = new Headers();
  for (const [name, value] of headers.entries()) if (!isFarTimeout(name, value)) result.append(name, value);
  if (wire === "grpc-web-text") {
    const type = headers.get("content-type")!.toLowerCase();
    result.set("content-type", type.replace("application/grpc-web-text", "application/grpc-web"));
  }
  if (wire === "grpc") keepOwnEncoding(result);
  return result;
}

/**
 * Leaves of the encodings that a gRPC caller takes the one that it packs its own messages in. gRPC's C core and Java say of every call
 * that they take gzip, and to pack scores costs more than all else that is done for them (bench/README.md): who wants it packs its requests.
 */
function keepOwnEncoding(header: Headers): void {
  const taken = header.get("grpc-accept-encoding");
  if (taken === null) return;
  const own = header.get("grpc-encoding") ?? IDENTITY;
  const isTaken = taken.split(",").some((name) => name.trim() === own);
  header.set("grpc-accept-encoding", isTaken ? own : IDENTITY);
}

function isFarTimeout(name: string, value: string): boolean {
  if (name === "grpc-timeout") return (parseGrpcTimeout(value) ?? 0) > LONGEST_TIMER_MS;
  return name === "connect-timeout-ms" && (parseConnectTimeout(value) ?? 0) > LONGEST_TIMER_MS;
}

/** The fields by which a call is found in the log and in traces: its id, and where it is recorded its span (W3C Trace Context, level 2). */
export function callFields({ id, call }: AnsweredCall): Field[] {
  const fields: Field[] = [["x-request-id", id]];
  const { trace } = call;
  if (trace !== undefined) fields.push(traceField(trace));
  return fields;
}

function traceField({ traceId, spanId }: CallTrace): Field {
  return ["traceresponse", `00-${traceId}-${spanId}-01`];
}

type AnsweredCall = Pick<EdgeCall, "id" | "call">;

/** The fields of a response: the handler's, the call's, and what a browser needs to read it. */
export function responseFields(
  header: Headers | undefined,
  requestHeaders: StreamHeaders,
  edgeCall: AnsweredCall,
  corsOrigins: readonly string[],
  isText = false,
): Field[] {
  const fields: Field[] = [];
  if (header !== undefined) {
    for (const [name, value] of header.entries()) {
      if (isText && name === "content-type") {
        fields.push([name, value.replace("application/grpc-web", "application/grpc-web-text")]);
      } else {
        fields.push([name, value]);
      }
    }
  }
  fields.push(...callFields(edgeCall), ...corsFields(requestHeaders, corsOrigins));
  return fields;
}

/** The trailer fields of a handler, with `grpc-message` in the form that every client can read. */
export function trailerFields(trailer: Headers): Field[] {
  return Array.from(trailer.entries(), ([name, value]) => [
    name,
    name === "grpc-message" ? plainGrpcMessage(value) : value,
  ]);
}

/** Clients refuse trailers of more than 8 KiB, and an octet may take three; Connect's own errors show headers of any length. */
const MAX_CHARACTERS = 1000;

/**
 * A `grpc-message` value as gRPC over HTTP/2 asks: printable ASCII but `%` as it is, all else percent-encoded. Connect encodes
 * more (`:` as `%3A`), and clients that decode with decodeURI, grpc-js among them, would show that to users.
 * Source: gRPC over HTTP/2, "Status-Message → Percent-Encoded".
 */
export function plainGrpcMessage(encoded: string): string {
  let text: string;
  try {
    text = decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
  if (text.length > MAX_CHARACTERS) text = `${text.slice(0, MAX_CHARACTERS - 1)}…`;
  let result = "";
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    result += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return result;
}
