import type { Headers } from "../../http2/stream.ts";
import type { SpanSink, TraceRule } from "../../telemetry/traces/span-record.ts";
import { CallSpans } from "./call-spans.ts";
import { TraceDecision } from "./trace-context.ts";
import { SpanOutput } from "./traced-work.ts";

/** What an edge is given where calls are traced. */
export interface TraceOptions {
  readonly rule: TraceRule;
  /** Takes the spans of calls that have ended. */
  readonly sink: SpanSink;
}

/** Decides which calls of an edge are recorded, and begins their traces. Where tracing is off there is none, and no call has a trace. */
export class CallTracer {
  private readonly decision: TraceDecision;
  private readonly output: SpanOutput;
  /** Whether a procedure is asked only to know whether the server is there: it is never recorded. */
  private readonly isProbe: (procedure: string) => boolean;

  constructor({ rule, sink }: TraceOptions, isProbe: (procedure: string) => boolean) {
    this.decision = new TraceDecision(rule);
    this.output = new SpanOutput(sink);
    this.isProbe = isProbe;
  }

  /** The trace of a call that begins; undefined, and nothing was made, where it is not recorded. */
  begin(headers: Headers, procedure: string): CallSpans | undefined {
    const origin = this.decision.of(headers);
    return origin === undefined || this.isProbe(procedure) ? undefined : new CallSpans(this.output, origin);
  }
}
