/** Spans as they go from those who make them to those who send them: plain data, which may cross threads. */

/** The place of a span in its trace: 32 and 16 hexadecimal digits. */
export interface SpanPlace {
  readonly traceId: string;
  readonly spanId: string;
  /** The caller's `tracestate`; empty where there is none. */
  readonly traceState: string;
}

/** What is told of a span besides its times. */
export type SpanAttributes = Record<string, string | number | boolean>;

/** A stage of what a span tells of: a span of its own below it, which is made of this when it is sent. */
export interface StageRecord {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly links: readonly SpanPlace[];
  /** Links that it would have too, had it not so many. */
  readonly droppedLinks: number;
  /** The reason that it failed with; empty where it did not fail. */
  readonly error: string;
}

/** One span that has ended, and its stages. The last digit of its id is 0: those of its stages have the same digits before 1, 2 and so on. */
export interface SpanRecord extends SpanPlace {
  /** Empty where it is the first of its trace. */
  readonly parentId: string;
  /** Whether its parent is in another process. */
  readonly isParentRemote: boolean;
  readonly name: string;
  readonly kind: "server" | "internal";
  /** Milliseconds since 1970, with their fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  readonly links: readonly SpanPlace[];
  /** Links that it would have too, had it not so many. */
  readonly droppedLinks: number;
  /** The reason that it failed with; empty where it did not fail. */
  readonly error: string;
  /** At most 15. */
  readonly stages: readonly StageRecord[];
}

/** Takes spans that have ended; keeps nobody waiting and never throws. */
export interface SpanSink {
  take(span: SpanRecord): void;
}

/** Which traces are recorded, of those that begin here and of those that callers began: `OTEL_TRACES_SAMPLER` and `OTEL_PROPAGATORS`. */
export interface TraceRule {
  /** The share of trace ids that are recorded, 0 to 1. */
  readonly ratio: number;
  /** A caller's own decision goes before the share. */
  readonly isParentBased: boolean;
  /** Whether `traceparent` and `tracestate` are read. */
  readonly readsContext: boolean;
}
