import type { HrTime, Link, SpanContext, TraceState } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { packageVersion } from "../../package-files.ts";
import type { SpanPlace, SpanRecord } from "../traces/span-record.ts";

/** Numbers of OpenTelemetry's enums, whose packages are loaded only where something is sent. */
const KINDS = { internal: 0, server: 1 } as const;
const UNSET = 0;
const FAILED = 2;
const SAMPLED = 1;

const SCOPE = { name: "assay", version: packageVersion() };

/** A span in the form that OpenTelemetry's exporters take. */
export function readableSpan(span: SpanRecord, resource: Resource): ReadableSpan {
  const context = contextOf(span, false);
  const { parentId, isParentRemote, traceId, startMs, endMs, error } = span;
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context,
    ...(parentId === ""
      ? {}
      : { parentSpanContext: { traceId, spanId: parentId, traceFlags: SAMPLED, isRemote: isParentRemote } }),
    startTime: hrTime(startMs),
    endTime: hrTime(Math.max(startMs, endMs)),
    duration: hrTime(Math.max(0, endMs - startMs)),
    status: error === "" ? { code: UNSET } : { code: FAILED, message: error },
    attributes: span.attributes,
    links: span.links.map(linkOf),
    events: [],
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: span.droppedLinks,
  };
}

function linkOf(place: SpanPlace): Link {
  return { context: contextOf(place, false) };
}

function contextOf({ traceId, spanId, traceState }: SpanPlace, isRemote: boolean): SpanContext {
  const base = { traceId, spanId, traceFlags: SAMPLED, isRemote };
  return traceState === "" ? base : { ...base, traceState: new SentState(traceState) };
}

/** A `tracestate` that is only written again. */
class SentState implements TraceState {
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  serialize(): string {
    return this.text;
  }

  get(): undefined {
    return undefined;
  }

  set(): TraceState {
    return this;
  }

  unset(): TraceState {
    return this;
  }
}

const NS_A_SECOND = 1e9;

/** Seconds and nanoseconds. */
export function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  const nanoseconds = Math.round((ms - seconds * 1000) * 1e6);
  return nanoseconds >= NS_A_SECOND ? [seconds + 1, 0] : [seconds, nanoseconds];
}
