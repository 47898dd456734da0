/**
 * Chooses who serves a stream: by its path, then by its content type, for each stream by itself.
 * Promises: whatever comes is answered in the form that its protocol expects.
 */
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { headerBlock, type ServerStream, type StreamHandler } from "../http2/stream.ts";
import { isPreflight, preflightFields } from "./call/cors.ts";
import { headerListBytes } from "./call/field-list.ts";
import { refuse } from "./call/refusal.ts";
import { type ConnectContext, serveConnect } from "./connect/adapter.ts";
import { type GrpcStreamRoute, isGrpcStream } from "./grpc/stream.ts";
import { type PlainRoute, servePlain } from "./plain/plain-http.ts";
import { isPredictPath } from "./plain/predict-routes.ts";
import type { UnaryRoutes } from "./unary/unary-routes.ts";
import { type ServedPaths, unservedPath } from "./unserved-path.ts";

/** Everything that a stream can reach. */
export interface Routes {
  /** Procedures whose gRPC form is framed here, by path; Connect's handlers take whatever these do not. */
  readonly grpcStreams: ReadonlyMap<string, GrpcStreamRoute>;
  readonly procedures: ReadonlyMap<string, UniversalHandler>;
  readonly plain: ReadonlyMap<string, PlainRoute>;
  readonly predict: PlainRoute;
  /** Takes calls in plain form before `procedures` and `predict` do; undefined: takes none. */
  readonly unary: UnaryRoutes | undefined;
}

/** Makes the handler of every stream. */
export function createRouter(routes: Routes, context: ConnectContext): StreamHandler {
  const served = servedPaths(routes);
  return (stream) => {
    try {
      route(stream, routes, served, context);
    } catch (error) {
      context.log.error({ path: stream.path, cause: String(error) }, "a stream could not be served");
      stream.reset(INTERNAL_ERROR);
    }
  };
}

const INTERNAL_ERROR = 2;

function route(stream: ServerStream, routes: Routes, served: ServedPaths, context: ConnectContext): void {
  const query = stream.path.indexOf("?");
  const path = query === -1 ? stream.path : stream.path.slice(0, query);
  if (headerListBytes(stream.headers) > context.limits.maxHeaderListBytes) {
    refuseHeaderList(stream, context);
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
    if (routes.unary?.serve(stream, path) === true) return;
    serveConnect(stream, procedure, context);
    return;
  }
  // People write a slash at the end, and FastAPI and most frameworks let them.
  const resource = path.length > 1 && path.endsWith("/") ? path.replace(/\/+$/, "") : path;
  const plain = isPredictPath(resource) ? routes.predict : routes.plain.get(resource);
  if (plain === undefined) {
    const error = new AssayError(Reason.UNIMPLEMENTED, unservedPath(path, served));
    refuse(stream, error, context.corsOrigins, 404);
  } else if (!plain.methods.includes(stream.method)) {
    const what = `${resource} takes ${plain.methods.join(" and ")}, not ${stream.method}`;
    refuse(stream, new AssayError(Reason.UNIMPLEMENTED, what), context.corsOrigins, 405, [
      ["allow", plain.methods.join(", ")],
    ]);
  } else if (plain !== routes.predict || routes.unary?.servePredict(stream, resource) !== true) {
    servePlain(stream, plain, resource, context);
  }
}

/** Refuses a stream whose header list is larger than allowed. */
export function refuseHeaderList(stream: ServerStream, context: ConnectContext): void {
  const { maxHeaderListBytes } = context.limits;
  const what = `the request's header list is larger than ${maxHeaderListBytes} bytes (max-header-list-bytes)`;
  refuse(stream, new AssayError(Reason.LIMIT_REACHED, what), context.corsOrigins, 431);
}

function servedPaths(routes: Routes): ServedPaths {
  const plain = [...routes.plain.keys()].map((path) => `GET ${path}`);
  const services = new Map<string, string[]>();
  for (const { service, method } of routes.procedures.values()) {
    const methods = services.get(service.typeName) ?? [];
    services.set(service.typeName, [...methods, method.name]);
  }
  return { services, plain: ["POST /predict", "POST /predict/{model}", ...plain] };
}
