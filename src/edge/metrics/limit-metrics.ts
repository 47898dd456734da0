/** How often each limit was hit, as one family of metrics: what this thread counted, and what the HTTP/2 engine did. */
import type { Http2Counters } from "../../http2/connection/counters.ts";
import { LIMITS, type Limit, limitHits } from "../../limits.ts";
import type { MetricFamily } from "../../telemetry/metric-text.ts";

/** The engine knows nothing of limits' names: the beginnings of the reasons that its GOAWAY frames give. */
const OF_GOAWAY: readonly (readonly [string, Limit])[] = [
  ["a header block is too long", "http2-header-block"],
  ["too many CONTINUATION frames", "http2-header-block"],
  ["too many streams reset", "http2-resets"],
  ["too many frames that force a stream reset", "http2-forced-resets"],
  ["too many streams above SETTINGS_MAX_CONCURRENT_STREAMS", "http2-refused-streams"],
  ["too many PING frames", "http2-pings"],
  ["too many SETTINGS frames", "http2-settings"],
  ["too many empty DATA frames", "http2-empty-data"],
  ["too many WINDOW_UPDATE frames", "http2-window-updates"],
  ["too many PRIORITY frames", "http2-priorities"],
  ["too many frames of unknown type", "http2-unknown-frames"],
  ["windows too small", "http2-small-windows"],
  ["too many frames on closed streams", "http2-closed-streams"],
  ["no client preface", "header-timeout-ms"],
  ["SETTINGS were not acknowledged", "header-timeout-ms"],
  ["a header block was not completed", "header-timeout-ms"],
  ["the peer does not read", "unread-timeout-ms"],
  ["no answer to PING", "http2-keepalive"],
  ["too many octets of answers are not read", "max-unread-answer-bytes"],
];

/** The limit that ended a connection for a reason; undefined where it was no limit. */
export function limitOfGoaway(why: string): Limit | undefined {
  return OF_GOAWAY.find(([beginning]) => why.startsWith(beginning))?.[1];
}

/** All limits, those that were never hit too: a rate over a series that begins with its first hit would miss that one. */
export function limitFamily(http2: Http2Counters | undefined): MetricFamily {
  const hits: Record<Limit, number> = { ...limitHits() };
  if (http2 !== undefined) {
    hits["max-concurrent-streams"] += http2.streamsRefused;
    hits["idle-timeout-ms"] += http2.connectionsIdle;
    hits["discarded-body"] += http2.bodiesCutOff;
    hits["unread-timeout-ms"] += http2.streamsStalled;
    hits["max-unread-answer-bytes"] += http2.answersDropped;
    for (const [why, count] of http2.goaways) {
      const limit = limitOfGoaway(why);
      if (limit !== undefined) hits[limit] += count;
    }
  }
  return {
    name: "assay_limit_hits_total",
    type: "counter",
    help: "What was refused, ended or slowed because of a limit, by the limit.",
    samples: LIMITS.map((limit) => [{ limit }, hits[limit]]),
  };
}
