/** What the edge holds and has refused, as metrics. */
import type { Http2Counters } from "../../http2/connection/counters.ts";
import type { Labels, MetricFamily } from "../../telemetry/metric-text.ts";
import type { MemoryBudget } from "../memory/memory-budget.ts";
import { limitFamily } from "./limit-metrics.ts";

/** What they are read from. */
export interface EdgeFacts {
  readonly connectionCount: number;
  readonly maxConnections: number;
  /** Connections that were refused since the start. */
  readonly refusedConnections: number;
  readonly memory: Pick<MemoryBudget, "heldBytes" | "limitBytes">;
  /** Of our own engine; undefined behind another. */
  readonly http2: Http2Counters | undefined;
  readonly version: string;
}

/** Connections, memory for requests, HTTP/2. */
export function edgeFamilies(facts: EdgeFacts): MetricFamily[] {
  const { memory, http2, version } = facts;
  return [
    one("assay_build_info", "gauge", "1; the version stands in its label.", 1, { version }),
    one("assay_connections_open", "gauge", "Connections that are open.", facts.connectionCount),
    one(
      "assay_connections_limit",
      "gauge",
      "The most connections that are served (max-connections).",
      facts.maxConnections,
    ),
    one(
      "assay_connections_refused_total",
      "counter",
      "Connections that were refused: too many, or too many from one address.",
      facts.refusedConnections,
    ),
    one(
      "assay_request_memory_bytes",
      "gauge",
      "What requests take of the server's memory.",
      memory.heldBytes,
    ),
    one(
      "assay_request_memory_limit_bytes",
      "gauge",
      "What they may take (max-request-memory-bytes).",
      memory.limitBytes,
    ),
    ...(http2 === undefined ? [] : http2Families(http2)),
    limitFamily(http2),
  ];
}

function http2Families(counters: Http2Counters): MetricFamily[] {
  const count = (name: string, help: string, value: number): MetricFamily =>
    one(`assay_http2_${name}_total`, "counter", help, value);
  return [
    one(
      "assay_http2_connections_open",
      "gauge",
      "Connections of HTTP/2 that are open.",
      counters.connectionsOpen,
    ),
    count("connections_accepted", "Connections of HTTP/2.", counters.connectionsAccepted),
    count("streams_opened", "Streams that peers opened.", counters.streamsOpened),
    count("streams_completed", "Streams whose answers were handed over whole.", counters.streamsCompleted),
    count("streams_cancelled", "Streams that ended before their answers.", counters.streamsCancelled),
    count("streams_stalled", "Streams given up because their peers took nothing.", counters.streamsStalled),
    count(
      "answers_dropped",
      "Answers given up because their connections left too much unread.",
      counters.answersDropped,
    ),
    count("resets_received", "RST_STREAM frames that came.", counters.resetsReceived),
    count("resets_sent", "RST_STREAM frames that were sent.", counters.resetsSent),
    count(
      "header_lists_too_large",
      "Header lists beyond max-header-list-bytes.",
      counters.headerListsTooLarge,
    ),
    {
      name: "assay_http2_goaways_total",
      type: "counter",
      help: "Connections that were ended with an error, by why.",
      samples: [...counters.goaways].map(([why, count]) => [{ why }, count]),
    },
  ];
}

function one(
  name: string,
  type: "counter" | "gauge",
  help: string,
  value: number,
  labels: Labels = {},
): MetricFamily {
  return { name, type, help, samples: [[labels, value]] };
}
