/**
 * Chooses who serves a stream: by the row of its path, then by its form, for each stream by itself.
 * Promises: whatever comes is answered in the form that its protocol expects.
 */
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { headerBlock, type ServerStream, type StreamHandler } from "../http2/stream.ts";
import { isPreflight, preflightFields } from "./call/cors.ts";
import { headerListBytes } from "./call/field-list.ts";
import { refuse } from "./call/refusal.ts";
import type { PlainContext } from "./plain/plain-http.ts";
import { type Route, RouteTable, type ServedPaths, unservedPath } from "./route-table.ts";

type RouterContext = Pick<PlainContext, "limits" | "corsOrigins" | "log">;

/** Makes the handler of every stream. */
export function createRouter(routes: readonly Route[], context: RouterContext): StreamHandler {
  const table = new RouteTable(routes);
  const served = table.served();
  return (stream) => {
    try {
      route(stream, table, served, context);
    } catch (error) {
      context.log.error({ path: stream.path, cause: String(error) }, "a stream could not be served");
      stream.reset(INTERNAL_ERROR);
    }
  };
}

const INTERNAL_ERROR = 2;

function route(stream: ServerStream, table: RouteTable, served: ServedPaths, context: RouterContext): void {
  if (headerListBytes(stream.headers) > context.limits.maxHeaderListBytes) {
    refuseHeaderList(stream, context);
    return;
  }
  if (isPreflight(stream.method, stream.headers)) {
    stream.respond(204, headerBlock(preflightFields(stream.headers, context.corsOrigins)), true);
    return;
  }
  const query = stream.path.indexOf("?");
  const whole = query === -1 ? stream.path : stream.path.slice(0, query);
  const found = table.find(whole);
  if (found === undefined) {
    const error = new AssayError(Reason.UNIMPLEMENTED, unservedPath(whole, served));
    refuse(stream, error, context.corsOrigins, 404);
    return;
  }
  const { path, params } = found;
  const { methods, servers } = found.route;
  if (methods !== undefined && !methods.includes(stream.method)) {
    const what = `${path} takes ${methods.join(" and ")}, not ${stream.method}`;
    refuse(stream, new AssayError(Reason.UNIMPLEMENTED, what), context.corsOrigins, 405, [
      ["allow", methods.join(", ")],
    ]);
    return;
  }
  for (const serve of servers) if (serve(stream, path, params)) return;
}

/** Refuses a stream whose header list is larger than allowed. */
export function refuseHeaderList(stream: ServerStream, context: RouterContext): void {
  const { maxHeaderListBytes } = context.limits;
  const what = `the request's header list is larger than ${maxHeaderListBytes} bytes (max-header-list-bytes)`;
  refuse(stream, new AssayError(Reason.LIMIT_REACHED, what), context.corsOrigins, 431);
}
