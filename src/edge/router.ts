/**
 * Chooses who serves a stream: by its path, then by its content type, for each stream by itself.
 * Promises: whatever comes is answered in the form that its protocol expects.
 */
import { Code } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { headerBlock, type ServerStream, type StreamHandler } from "../http2/stream.ts";
import { type ConnectContext, serveConnect } from "./connect-adapter.ts";
import { wireProtocol } from "./content-type.ts";
import { corsFields, isPreflight, preflightFields } from "./cors.ts";
import { toConnectError } from "./error-details.ts";
import { errorRow } from "./error-table.ts";
import { headerListBytes } from "./field-list.ts";
import { type GrpcStreamRoute, isGrpcStream } from "./grpc-stream.ts";
import { type PlainRoute, servePlain } from "./plain-http.ts";
import { isPredictPath } from "./predict-route.ts";

/** Everything that a stream can reach. */
export interface Routes {
  /** Procedures whose gRPC form is framed here, by path; Connect's handlers take whatever these do not. */
  readonly grpcStreams: ReadonlyMap<string, GrpcStreamRoute>;
  readonly procedures: ReadonlyMap<string, UniversalHandler>;
  readonly plain: ReadonlyMap<string, PlainRoute>;
  readonly predict: PlainRoute;
}

/** Makes the handler of every stream. */
export function createRouter(routes: Routes, context: ConnectContext): StreamHandler {
  const catalogue = describeRoutes(routes);
  return (stream) => {
    try {
      route(stream, routes, catalogue, context);
    } catch (error) {
      context.log.error({ path: stream.path, cause: String(error) }, "a stream could not be served");
      stream.reset(INTERNAL_ERROR);
    }
  };
}

const INTERNAL_ERROR = 2;

function route(stream: ServerStream, routes: Routes, catalogue: string, context: ConnectContext): void {
  const query = stream.path.indexOf("?");
  const path = query === -1 ? stream.path : stream.path.slice(0, query);
  const { maxHeaderListBytes } = context.limits;
  if (headerListBytes(stream.headers) > maxHeaderListBytes) {
    const what = `the request's header list is larger than ${maxHeaderListBytes} bytes (max-header-list-bytes)`;
    refuse(stream, new AssayError(Reason.LIMIT_REACHED, what), context, 431);
    return;
  }
  if (isPreflight(stream.method, stream.headers)) {
    stream.respond(204, headerBlock(preflightFields(stream.headers, context.corsOrigins)), true);
    return;
  }
  const grpcStream = routes.grpcStreams.get(path);
  if (grpcStream !== undefined && isGrpcStream(stream)) {
    grpcStream.serve(stream, context);
    return;
  }
  const procedure = routes.procedures.get(path);
  if (procedure !== undefined) {
    serveConnect(stream, procedure, context);
    return;
  }
  const plain = isPredictPath(path) ? routes.predict : routes.plain.get(path);
  if (plain === undefined) {
    refuse(
      stream,
      new AssayError(Reason.UNIMPLEMENTED, `nothing is served at ${path}; ${catalogue}`),
      context,
      404,
    );
  } else if (!plain.methods.includes(stream.method)) {
    const what = `${path} takes ${plain.methods.join(" and ")}, not ${stream.method}`;
    refuse(stream, new AssayError(Reason.UNIMPLEMENTED, what), context, 405, [
      ["allow", plain.methods.join(", ")],
    ]);
  } else {
    servePlain(stream, plain, path, context);
  }
}

/** Refuses a stream before any call begins: gRPC in its trailers, everything else as JSON. */
function refuse(
  stream: ServerStream,
  error: AssayError,
  context: ConnectContext,
  httpStatus: number,
  extraFields: readonly (readonly [string, string])[] = [],
): void {
  const wire = wireProtocol(stream.headers.get("content-type"));
  const shared = [...extraFields, ...corsFields(stream.headers, context.corsOrigins)];
  if (wire === "grpc" || wire === "grpc-web" || wire === "grpc-web-text") {
    const { code, rawMessage } = toConnectError(error, wire);
    const status: [string, string][] = [
      ["content-type", stream.headers.get("content-type")!],
      ["grpc-status", String(code)],
      ["grpc-message", encodeURIComponent(rawMessage)],
    ];
    stream.respond(200, headerBlock([...status, ...shared]), true);
    return;
  }
  const code = CODE_NAMES[errorRow(error.reason).code];
  const bytes = new TextEncoder().encode(`${JSON.stringify({ code, message: error.message })}\n`);
  const fields: [string, string][] = [
    ["content-type", "application/json"],
    ["content-length", String(bytes.byteLength)],
  ];
  stream.respond(httpStatus, headerBlock([...fields, ...shared]));
  stream.write(stream.method === "HEAD" ? new Uint8Array(0) : bytes, true);
}

const CODE_NAMES: Readonly<Partial<Record<Code, string>>> = {
  [Code.Unimplemented]: "unimplemented",
  [Code.ResourceExhausted]: "resource_exhausted",
};

function describeRoutes(routes: Routes): string {
  const plain = [...routes.plain.keys()].map((path) => `GET ${path}`);
  const services = new Set([...routes.procedures.values()].map((handler) => handler.service.typeName));
  return `there is ${["POST /predict", "POST /predict/{model}", ...plain].join(", ")}, and the services ${[...services].join(", ")} at /{service}/{method}`;
}
