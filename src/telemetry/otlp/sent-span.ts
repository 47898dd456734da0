import type { Attributes, HrTime, Link, SpanContext, SpanStatus, TraceState } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { packageVersion } from "../../package-files.ts";
import type { SpanPlace, SpanRecord } from "../traces/span-record.ts";

/** Numbers of OpenTelemetry's enums, whose packages are loaded only where something is sent. */
const KINDS = { internal: 0, server: 1 } as const;
const UNSET: SpanStatus = { code: 0 };
const FAILED = 2;
const SAMPLED = 1;

/** Who makes spans and metrics. */
export const SCOPE = { name: "assay", version: packageVersion() };
const NOTHING: [] = [];
const NO_ATTRIBUTES: Attributes = {};

/** A span in the form that OpenTelemetry's exporters take: it lives no longer than they take to write it. */
export class SentSpan implements ReadableSpan {
  readonly name: string;
  readonly kind: ReadableSpan["kind"];
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: Link[];
  readonly events: [] = NOTHING;
  readonly ended = true;
  readonly resource: Resource;
  readonly instrumentationScope = SCOPE;
  readonly droppedAttributesCount = 0;
  readonly droppedEventsCount = 0;
  readonly droppedLinksCount: number;
  private readonly context: SpanContext;

  constructor(
    told: Pick<SpanRecord, "name" | "startMs" | "endMs" | "links" | "droppedLinks" | "error">,
    kind: SpanRecord["kind"],
    attributes: Attributes,
    context: SpanContext,
    parent: SpanContext | undefined,
    resource: Resource,
  ) {
    this.name = told.name;
    this.kind = KINDS[kind];
    if (parent !== undefined) this.parentSpanContext = parent;
    this.startTime = hrTime(told.startMs);
    this.endTime = hrTime(Math.max(told.startMs, told.endMs));
    this.status = told.error === "" ? UNSET : { code: FAILED, message: told.error };
    this.attributes = attributes;
    this.links = told.links.length === 0 ? NOTHING : told.links.map(linkOf);
    this.resource = resource;
    this.droppedLinksCount = told.droppedLinks;
    this.context = context;
  }

  get duration(): HrTime {
    const [from, fromNs] = this.startTime;
    const [until, untilNs] = this.endTime;
    return untilNs >= fromNs
      ? [until - from, untilNs - fromNs]
      : [until - from - 1, untilNs - fromNs + NS_A_SECOND];
  }

  spanContext(): SpanContext {
    return this.context;
  }
}

/** Adds a span and those of its stages. */
export function addSentSpans(span: SpanRecord, resource: Resource, to: SentSpan[]): void {
  const { parentId, isParentRemote, traceId, spanId, traceState } = span;
  const parent =
    parentId === ""
      ? undefined
      : { traceId, spanId: parentId, traceFlags: SAMPLED, isRemote: isParentRemote };
  const own = contextOf(traceId, spanId, traceState);
  to.push(new SentSpan(span, span.kind, span.attributes, own, parent, resource));
  const digits = spanId.slice(0, -1);
  let last = 0;
  for (const stage of span.stages) {
    const place = contextOf(traceId, digits + (++last).toString(16), traceState);
    const attributes = stage.error === "" ? NO_ATTRIBUTES : { "error.type": stage.error };
    to.push(new SentSpan(stage, "internal", attributes, place, own, resource));
  }
}

function linkOf({ traceId, spanId, traceState }: SpanPlace): Link {
  return { context: contextOf(traceId, spanId, traceState) };
}

function contextOf(traceId: string, spanId: string, traceState: string): SpanContext {
  const base = { traceId, spanId, traceFlags: SAMPLED, isRemote: false };
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
