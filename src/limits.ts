/** Every limit that may be hit while a server runs, and how often each was. docs/limits.md has a row for each, kept equal by a test. */

/** Their names at `/metrics`: that of the flag where there is one. */
export const LIMITS = [
  "max-connections",
  "open-files",
  "max-connections-per-peer",
  "header-timeout-ms",
  "idle-timeout-ms",
  "max-header-list-bytes",
  "max-concurrent-streams",
  "http2-header-block",
  "http2-resets",
  "http2-forced-resets",
  "http2-refused-streams",
  "http2-pings",
  "http2-settings",
  "http2-empty-data",
  "http2-window-updates",
  "http2-priorities",
  "http2-unknown-frames",
  "http2-small-windows",
  "http2-closed-streams",
  "http2-keepalive",
  "http1-read-ahead",
  "discarded-body",
  "max-unread-answer-bytes",
  "unread-timeout-ms",
  "call-timeout-ms",
  "body-timeout-ms",
  "max-message-bytes",
  "message-memory",
  "max-request-memory-bytes",
  "heap",
  "message-depth",
  "message-fields",
  "list-items",
  "number-digits",
  "text-characters",
  "stream-window",
  "max-queue-rows",
  "max-queue-bytes",
  "run-bytes",
  "run-timeout-ms",
  "load-timeout-ms",
  "waiting-updates",
  "control-body-bytes",
  "access-lines",
  "log-bytes",
] as const;

/** One of them. */
export type Limit = (typeof LIMITS)[number];

const hits = Object.fromEntries(LIMITS.map((limit) => [limit, 0])) as Record<Limit, number>;

/** A limit was hit: something was refused, ended, or slowed because of it. */
export function limitHit(limit: Limit): void {
  hits[limit]++;
}

/** How often each was hit in this thread since it began. */
export function limitHits(): Readonly<Record<Limit, number>> {
  return hits;
}
