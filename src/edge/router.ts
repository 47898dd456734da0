/**
 * Chooses who serves a stream: by the row of its path, then by its form, for each stream by itself.
 * Promises: whatever comes is answered in the form that its protocol expects.
 */
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { headerBlock, type ServerStream, type StreamHandler } from "../http2/stream.ts";
import { limitHit } from "../limits.ts";
import type { Caller } from "../registry/caller.ts";
import { TurnBudget } from "../service/stream/turn-budget.ts";
import { maskedCause } from "../telemetry/masked-text.ts";
import { isPreflight, preflightFields } from "./call/cors.ts";
import { headerListBytes } from "./call/field-list.ts";
import { refuse } from "./call/refusal.ts";
import { admitted, type Gate } from "./identity/gate.ts";
import type { PlainContext } from "./plain/plain-http.ts";
import {
  type FoundRoute,
  type RouteTable,
  type ServedPaths,
  unservedPath,
  wrongMethod,
} from "./route-table.ts";

type RouterContext = Pick<PlainContext, "limits" | "corsOrigins" | "counters" | "log" | "access"> & {
  /** Who asks who calls; undefined: nobody. */
  readonly gate?: Gate | undefined;
};

/** Makes the handler of every stream. */
export function createRouter(table: RouteTable, context: RouterContext): StreamHandler {
  const router = new Router(table, context);
  return (stream) => router.route(stream);
}

const INTERNAL_ERROR = 2;
/** So that a budget looks at the clock for each call: one alone may take as long as a turn. */
const CALL_BYTES = 65_536;

class Router {
  private readonly table: RouteTable;
  private readonly served: ServedPaths;
  private readonly context: RouterContext;
  /** A thousand pipelined calls must not hold the event loop until the last of them is answered, nor keep probes waiting. */
  private readonly callTurns = new TurnBudget();
  private readonly probeTurns = new TurnBudget();

  constructor(table: RouteTable, context: RouterContext) {
    this.table = table;
    this.served = table.served();
    this.context = context;
  }

  route(stream: ServerStream): void {
    try {
      const found = this.find(stream);
      if (found === undefined) return;
      const { gate } = this.context;
      if (gate !== undefined) {
        const caller = gate.identify(stream);
        if (caller instanceof Promise) {
          this.admitLater(stream, found, caller);
          return;
        }
        stream.caller = admitted(caller, found.route.isOpen === true);
      }
      this.serveInTurn(stream, found);
    } catch (error) {
      this.failed(stream, error);
    }
  }

  private serveInTurn(stream: ServerStream, found: FoundRoute): void {
    const turns = found.route.isProbe === true ? this.probeTurns : this.callTurns;
    turns.weigh(CALL_BYTES);
    if (turns.spend()) serve(stream, found);
    else this.serveLater(stream, found, turns);
  }

  /** Its body waits in the stream's window until it is known who calls. */
  private admitLater(stream: ServerStream, found: FoundRoute, asked: Promise<Caller>): void {
    let isGone = false;
    const onCancel = (): void => {
      isGone = true;
    };
    stream.onCancel = onCancel;
    asked
      .then((caller) => {
        if (isGone) return;
        stream.caller = admitted(caller, found.route.isOpen === true);
        this.serveInTurn(stream, found);
      })
      .catch((error: unknown) => this.failed(stream, error));
  }

  /** The row of a stream; undefined where it is answered already. */
  private find(stream: ServerStream): FoundRoute | undefined {
    const { limits, corsOrigins } = this.context;
    if (headerListBytes(stream.headers) > limits.maxHeaderListBytes) {
      refuseHeaderList(stream, this.context);
      return undefined;
    }
    if (isPreflight(stream.method, stream.headers)) {
      stream.respond(204, headerBlock(preflightFields(stream.headers, corsOrigins)), true);
      return undefined;
    }
    const query = stream.path.indexOf("?");
    const path = query === -1 ? stream.path : stream.path.slice(0, query);
    const found = this.table.find(path);
    if (found === undefined) {
      const error = new AssayError(Reason.UNIMPLEMENTED, unservedPath(path, this.served));
      this.context.counters.refused(Reason.UNIMPLEMENTED);
      this.context.access.refused(stream, error, 404);
      refuse(stream, error, corsOrigins, 404);
      return undefined;
    }
    const { methods } = found.route;
    if (methods === undefined || methods.includes(stream.method)) return found;
    this.context.counters.refused(Reason.UNIMPLEMENTED);
    const what = wrongMethod(found.path, stream.method, { methods, served: this.served });
    const error = new AssayError(Reason.UNIMPLEMENTED, what);
    this.context.access.refused(stream, error, 405, found.route.pattern);
    refuse(stream, error, corsOrigins, 405, [["allow", methods.join(", ")]]);
    return undefined;
  }

  private serveLater(stream: ServerStream, found: FoundRoute, turns: TurnBudget): void {
    let isGone = false;
    const onCancel = (): void => {
      isGone = true;
    };
    stream.onCancel = onCancel;
    turns.later(() => {
      if (isGone) return;
      try {
        serve(stream, found);
      } catch (error) {
        this.failed(stream, error);
      }
    });
  }

  private failed(stream: ServerStream, error: unknown): void {
    const path = stream.path.split("?")[0]!;
    const pattern = this.table.find(path)?.route.pattern;
    this.context.log.error({ procedure: pattern, cause: maskedCause(error) }, "a stream could not be served");
    stream.reset(INTERNAL_ERROR);
  }
}

function serve(stream: ServerStream, { route: { servers }, path, params }: FoundRoute): void {
  for (const one of servers) if (one(stream, path, params)) return;
}

/** Refuses a stream whose header list is larger than allowed. */
export function refuseHeaderList(stream: ServerStream, context: RouterContext): void {
  const { maxHeaderListBytes } = context.limits;
  const what = `the request's header list is larger than ${maxHeaderListBytes} bytes (max-header-list-bytes)`;
  const error = new AssayError(Reason.LIMIT_REACHED, what);
  context.counters.refused(Reason.LIMIT_REACHED);
  limitHit("max-header-list-bytes");
  context.access.refused(stream, error, 431);
  refuse(stream, error, context.corsOrigins, 431);
}
