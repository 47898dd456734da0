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
import type { SpanAttributes } from "../../telemetry/traces/span-record.ts";
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
  readonly traceId: string;
  readonly spanId: string;
  private items = 0;

  constructor(output: SpanOutput, { traceId, traceState, parentId }: TraceOrigin) {
    super(output, traceId, traceState, parentId, parentId !== "");
    // Fields: getters would be compiled into all that calls do, for the few that are recorded.
    this.traceId = traceId;
    this.spanId = this.place.spanId;
  }

  item(itemId: bigint): ItemTrace | undefined {
    if (this.items >= MOST_ITEMS) return undefined;
    this.items++;
    return new ItemSpans(this.output, this, itemId);
  }

  /** The call has ended: gives its span away. */
  end(logged: LoggedCall, endedAt: number, error: AssayError | undefined): void {
    const { call, pattern, stream } = logged;
    const isRpc = RPC.has(call.protocol);
    const method = METHODS.has(stream.method) ? stream.method : "HTTP";
    const name = isRpc ? pattern.slice(1) : `${method} ${pattern}`;
    const status = statusOf(logged, error);
    const hasFailed = typeof status === "number" ? status >= 500 : SERVERS_CODES.has(status);
    const reason = error === undefined ? "" : reasonName(error.reason);
    const attributes: SpanAttributes = isRpc
      ? rpcFields(call.protocol, name, status)
      : httpFields(method, logged, status);
    addFacts(attributes, logged);
    if (reason !== "") attributes["error.type"] = reason;
    // What no model takes ends where it is read and checked.
    const isRefused = error?.reason === Reason.INVALID_REQUEST && !(call.enqueuedAt >= call.receivedAt);
    const stages =
      isRefused && call.items === 0
        ? [this.stage("decode", call.receivedAt, endedAt, reason)]
        : this.stages(call, endedAt, reason);
    const failure = hasFailed ? reason || String(status) : "";
    this.give(name, "server", call.receivedAt, endedAt, attributes, failure, stages);
  }
}

/** The spans of one item of a stream. */
class ItemSpans extends TracedWork implements ItemTrace {
  private readonly itemId: bigint;

  constructor(output: SpanOutput, stream: CallSpans, itemId: bigint) {
    super(output, stream.traceId, stream.place.traceState, stream.spanId, false);
    this.itemId = itemId;
  }

  end(passed: PassedStages, error: AssayError | undefined): void {
    const now = performance.now();
    const reason = error === undefined ? "" : reasonName(error.reason);
    const attributes: SpanAttributes = { "assay.item_id": String(this.itemId) };
    if (reason !== "") attributes["error.type"] = reason;
    const stages = this.stages(passed, now, reason);
    this.give("item", "internal", passed.receivedAt, now, attributes, reason, stages);
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

/** What is known of every call. */
function addFacts(
  attributes: SpanAttributes,
  { id, call, stream, requestBytes, responseBytes }: LoggedCall,
): void {
  const { protocol, modelName, modelVersion, rows, items, failedItems } = call;
  const { peer } = peerField(stream);
  attributes["network.protocol.version"] = stream.httpVersion === 1 ? "1.1" : "2";
  if (typeof peer === "string") attributes["network.peer.address"] = peer;
  attributes["http.request.body.size"] = requestBytes;
  attributes["http.response.body.size"] = responseBytes;
  attributes["assay.request_id"] = id;
  attributes["assay.protocol"] = protocol;
  if (modelName !== "") {
    attributes["assay.model.name"] = modelName;
    attributes["assay.model.version"] = modelVersion;
    attributes["assay.rows"] = rows;
  }
  if (items === 0) return;
  attributes["assay.items"] = items;
  attributes["assay.failed_items"] = failedItems;
}
