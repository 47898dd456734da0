/**
 * The spans of one call whose trace is recorded. Comes in: what the stages tell of it. Goes out, once it has ended: its own span, one for
 * each stage that it passed, one for each of a stream's first items; and of each run that had rows of it one that is linked with all
 * calls that it served.
 * Promises: of what callers send there is nothing in them but ids; names are those of the edge's rows and of models that are served,
 * reasons the schema's.
 */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { type AssayError, reasonName } from "../../errors.ts";
import type { CallTrace, ItemTrace } from "../../service/call.ts";
import type { PassedStages } from "../../telemetry/traces/entry-trace.ts";
import type { SpanAttributes, SpanRecord } from "../../telemetry/traces/span-record.ts";
import { type LoggedCall, peerField, RPC, statusOf } from "../access/access-line.ts";
import type { TraceOrigin } from "./trace-context.ts";
import { type SpanOutput, TracedWork } from "./traced-work.ts";

/** Items of one stream that have spans: a trace of more is not read by anybody. */
const MOST_ITEMS = 100;

/** Codes that say of a server's span that it failed. Source: OpenTelemetry's semantic conventions for gRPC; those of callers' faults do not. */
const SERVERS_CODES: ReadonlySet<string | number> = new Set([
  ...["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"],
]);
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);
/** What OpenTelemetry calls the protocols. */
const SYSTEMS: Readonly<Record<string, string>> = { grpc: "grpc", "grpc-web": "grpc", connect: "connectrpc" };

/** The spans of one call. */
export class CallSpans extends TracedWork implements CallTrace {
  private readonly parentId: string;
  private items = 0;

  constructor(output: SpanOutput, origin: TraceOrigin) {
    super(output, origin.traceId, origin.traceState);
    this.parentId = origin.parentId;
  }

  get traceId(): string {
    return this.place.traceId;
  }

  get spanId(): string {
    return this.place.spanId;
  }

  item(itemId: bigint): ItemTrace | undefined {
    if (this.items >= MOST_ITEMS) return undefined;
    this.items++;
    return new ItemSpans(this.output, this, itemId);
  }

  /** The call has ended: gives its spans away. */
  end(logged: LoggedCall, endedAt: number, error: AssayError | undefined): void {
    const { call, pattern, stream } = logged;
    const isRpc = RPC.has(call.protocol);
    const method = METHODS.has(stream.method) ? stream.method : "HTTP";
    const name = isRpc ? pattern.slice(1) : `${method} ${pattern}`;
    const status = statusOf(logged, error);
    const hasFailed = typeof status === "number" ? status >= 500 : SERVERS_CODES.has(status);
    const reason = error === undefined ? "" : reasonName(error.reason);
    const attributes: SpanAttributes = {
      ...(isRpc ? rpcFields(call.protocol, name, status) : httpFields(method, logged, status)),
      ...connectionFields(logged),
      ...workFields(logged),
      ...(reason === "" ? {} : { "error.type": reason }),
    };
    const own = this.span(this.place, name, call.receivedAt, endedAt, attributes, undefined, this.parentId);
    const spans: SpanRecord[] = [
      {
        ...own,
        kind: "server",
        isParentRemote: this.parentId !== "",
        error: hasFailed ? reason || String(status) : "",
      },
      ...this.stages(call, endedAt, error),
    ];
    // What no model takes ends where it is read and checked.
    const isRefused = error?.reason === Reason.INVALID_REQUEST && !(call.enqueuedAt >= call.receivedAt);
    if (isRefused && call.items === 0) spans.push(this.below("decode", call.receivedAt, endedAt, error));
    this.output.take(spans);
  }
}

/** The spans of one item of a stream. */
class ItemSpans extends TracedWork implements ItemTrace {
  private readonly itemId: bigint;
  private readonly parentId: string;

  constructor(output: SpanOutput, stream: CallSpans, itemId: bigint) {
    super(output, stream.traceId, stream.place.traceState);
    this.itemId = itemId;
    this.parentId = stream.spanId;
  }

  end(passed: PassedStages, error: AssayError | undefined): void {
    const now = performance.now();
    const attributes = { "assay.item_id": String(this.itemId) };
    const own = this.span(this.place, "item", passed.receivedAt, now, attributes, error, this.parentId);
    this.output.take([own, ...this.stages(passed, now, error)]);
  }
}

function rpcFields(protocol: string, method: string, status: string | number): SpanAttributes {
  return {
    "rpc.system.name": SYSTEMS[protocol] ?? protocol,
    "rpc.method": method,
    "rpc.response.status_code": String(status),
  };
}

/** `url.path` only where a row has no open place: what stands in one is the caller's own text. */
function httpFields(
  method: string,
  { pattern, stream }: LoggedCall,
  status: string | number,
): SpanAttributes {
  return {
    "http.request.method": method === "HTTP" ? "_OTHER" : method,
    "http.route": pattern,
    "url.scheme": stream.encrypted ? "https" : "http",
    ...(pattern.includes("{") ? {} : { "url.path": pattern }),
    "http.response.status_code": Number(status),
  };
}

function connectionFields({ stream, requestBytes, responseBytes }: LoggedCall): SpanAttributes {
  const { peer } = peerField(stream);
  return {
    "network.protocol.name": "http",
    "network.protocol.version": stream.httpVersion === 1 ? "1.1" : "2",
    ...(typeof peer === "string" ? { "network.peer.address": peer } : {}),
    "http.request.body.size": requestBytes,
    "http.response.body.size": responseBytes,
  };
}

function workFields({ id, call }: LoggedCall): SpanAttributes {
  const { protocol, modelName, modelVersion, rows, items, failedItems } = call;
  return {
    "assay.request_id": id,
    "assay.protocol": protocol,
    ...(modelName === ""
      ? {}
      : { "assay.model.name": modelName, "assay.model.version": modelVersion, "assay.rows": rows }),
    ...(items === 0 ? {} : { "assay.items": items, "assay.failed_items": failedItems }),
  };
}
