/**
 * What has become of calls, by protocol, procedure and reason, for metrics. Comes in: each call as it ends. Promises: it costs a call two
 * look-ups and some additions; there are as many series as the edge has rows, protocols and reasons, whatever callers send.
 */
import type { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { reasonName } from "../../errors.ts";
import type { CallTrace } from "../../service/call.ts";
import { Histogram } from "../../telemetry/histogram.ts";
import type { Labels, MetricFamily } from "../../telemetry/metric-text.ts";
import { RPC } from "../access/access-line.ts";

/** What a call ended with: a code's name, or HTTP's status. */
type Status = string | number;

/** Where the trace of a call is found. */
type TracedCall = Pick<CallTrace, "traceId" | "spanId">;

/** Calls of one protocol to one row of the edge. */
class CallCount {
  /** Calls that have begun and not ended. */
  open = 0;
  /** By status, and by the reason of those that failed with one. */
  readonly durations = new Map<Status, Map<Reason | undefined, Histogram>>();

  ended(status: Status, reason: Reason | undefined, durationMs: number): void {
    this.open--;
    let byReason = this.durations.get(status);
    if (byReason === undefined) {
      byReason = new Map();
      this.durations.set(status, byReason);
    }
    let histogram = byReason.get(reason);
    if (histogram === undefined) {
      histogram = new Histogram();
      byReason.set(reason, histogram);
    }
    histogram.observe(durationMs);
  }

  /** The trace of a call that has just ended so is recorded: its range's exemplar. */
  recorded(status: Status, reason: Reason | undefined, durationMs: number, trace: TracedCall): void {
    this.durations.get(status)?.get(reason)?.exemplify(durationMs, trace.traceId, trace.spanId);
  }
}

/** The calls of a procedure's or a resource's, by protocol. */
type ByProtocol = Map<string, CallCount>;

/** All protocols but those of procedures, as one. */
const HTTP = "http";

/** Paths whose row is remembered; callers choose some of them. */
const MOST_KNOWN = 1024;

/** Counts the calls of one edge. */
export class CallCounters {
  private readonly byPattern = new Map<string, ByProtocol>();
  private readonly byPath = new Map<string, ByProtocol>();
  private readonly refusals = new Map<Reason, number>();
  /** The pattern of the row that serves a path. */
  readonly patternOf: (path: string) => string;

  constructor(patternOf: (path: string) => string) {
    this.patternOf = patternOf;
  }

  /** A call begins; `ended` of what this gives is to be called once. */
  begun(path: string, protocol: string): CallCount {
    const calls = this.byPath.get(path) ?? this.look(path);
    let count = calls.get(protocol);
    if (count === undefined) {
      // Those of plain HTTP have no label that tells them apart.
      const told = RPC.has(protocol) ? protocol : HTTP;
      count = calls.get(told) ?? new CallCount();
      calls.set(told, count);
      calls.set(protocol, count);
    }
    count.open++;
    return count;
  }

  /** A stream was refused before a call was made of it: nobody serves its path, or its head is too large. */
  refused(reason: Reason): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }

  /** OpenTelemetry's names: procedures as calls of RPC, resources as requests of HTTP. */
  families(): MetricFamily[] {
    const rpc: [Labels, Histogram][] = [];
    const http: [Labels, Histogram][] = [];
    const open: [Labels, number][] = [];
    for (const [pattern, calls] of this.byPattern) {
      for (const [protocol, count] of calls) {
        const isHttp = protocol === HTTP;
        if (!isHttp && !RPC.has(protocol)) continue;
        const labels: Labels = isHttp
          ? { http_route: pattern }
          : { rpc_system_name: protocol, rpc_method: pattern.slice(1) };
        open.push([labels, count.open]);
        const status = isHttp ? "http_response_status_code" : "rpc_response_status_code";
        for (const [ended, byReason] of count.durations) {
          for (const [reason, durations] of byReason) {
            const why: Labels = reason === undefined ? {} : { error_type: reasonName(reason) };
            (isHttp ? http : rpc).push([{ ...labels, [status]: String(ended), ...why }, durations]);
          }
        }
      }
    }
    const help = "from the request's head to the end of the answer, by how they ended.";
    return [
      histograms("rpc_server_call_duration_seconds", `Calls of procedures, ${help}`, rpc),
      histograms("http_server_request_duration_seconds", `Requests of plain HTTP, ${help}`, http),
      {
        name: "assay_streams_refused_total",
        type: "counter",
        help: "Requests that nobody serves, or whose heads are too large.",
        samples: [...this.refusals].map(([reason, count]) => [{ reason: reasonName(reason) }, count]),
      },
      {
        name: "assay_calls_open",
        type: "gauge",
        help: "Calls and streams that have begun and not ended.",
        samples: open,
      },
    ];
  }

  private look(path: string): ByProtocol {
    const pattern = this.patternOf(path);
    let calls = this.byPattern.get(pattern);
    if (calls === undefined) {
      calls = new Map();
      this.byPattern.set(pattern, calls);
    }
    if (this.byPath.size < MOST_KNOWN) this.byPath.set(path, calls);
    return calls;
  }
}

/** A call that is counted. */
export type CountedCall = Pick<CallCount, "ended" | "recorded">;

function histograms(name: string, help: string, samples: [Labels, Histogram][]): MetricFamily {
  return { name, type: "histogram", help, scale: 1e-3, samples };
}
