import { Code } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import type { AssayError } from "../../errors.ts";
import { headerBlock, type ServerStream } from "../../http2/stream.ts";
import { type WireProtocol, wireProtocol } from "./content-type.ts";
import { corsFields } from "./cors.ts";
import { publicMessage, toConnectError } from "./error-details.ts";
import { errorRow } from "./error-table.ts";
import { trailerFields } from "./response-fields.ts";

type Field = readonly [name: string, value: string];

/** Tells whether a protocol reads its errors from gRPC's status, whatever HTTP says. */
export function readsGrpcStatus(wire: WireProtocol): boolean {
  return wire === "grpc" || wire === "grpc-web" || wire === "grpc-web-text";
}

/** Refuses a stream that no call was made of: gRPC by Trailers-Only, everything else as JSON with `httpStatus`. */
export function refuse(
  stream: ServerStream,
  error: AssayError,
  corsOrigins: readonly string[],
  httpStatus: number,
  extraFields: readonly Field[] = [],
): void {
  const wire = wireProtocol(stream.headers.get("content-type"));
  const shared = [...extraFields, ...corsFields(stream.headers, corsOrigins)];
  if (readsGrpcStatus(wire)) {
    const connectError = toConnectError(error, wire);
    // No procedure of Assay's is meant, whose callers know its details.
    connectError.details = [];
    const trailer = setTrailerStatus(new Headers(), connectError);
    const fields: Field[] = [
      ["content-type", stream.headers.get("content-type")!],
      ...trailerFields(trailer),
      ...shared,
    ];
    stream.respond(200, headerBlock(fields), true);
    return;
  }
  const code = CODE_NAMES[errorRow(error.reason).code];
  const message = publicMessage(error);
  const body = bodyFor(stream.path, code, message);
  const bytes = new TextEncoder().encode(`${JSON.stringify(body)}\n`);
  const fields: Field[] = [
    ["content-type", "application/json"],
    ["content-length", String(bytes.byteLength)],
  ];
  stream.respond(httpStatus, headerBlock([...fields, ...shared]));
  stream.write(stream.method === "HEAD" ? new Uint8Array(0) : bytes, true);
}

/** Clients of the Open Inference Protocol and of KServe v1 read nothing but `error`, MLflow's `error_code` and `message`. */
function bodyFor(path: string, code: string | undefined, message: string): unknown {
  if (/^\/v[12]\//.test(path)) return { error: message };
  if (path.startsWith("/invocations")) return { error_code: "ENDPOINT_NOT_FOUND", message };
  return { code, message };
}

const CODE_NAMES: Readonly<Partial<Record<Code, string>>> = {
  [Code.Unimplemented]: "unimplemented",
  [Code.ResourceExhausted]: "resource_exhausted",
};
