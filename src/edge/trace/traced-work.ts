/** What is recorded of a call or an item whose rows run: the spans of its stages, and those of the batches that it was part of. */
import { type AssayError, reasonName } from "../../errors.ts";
import type { EntryTrace, PassedStages, TracedRun } from "../../telemetry/traces/entry-trace.ts";
import type { SpanAttributes, SpanPlace, SpanRecord, SpanSink } from "../../telemetry/traces/span-record.ts";
import { newSpanId, newTraceId } from "./trace-context.ts";

/** The most links of one span: OpenTelemetry's own limit. */
const MOST_LINKS = 128;
/** A clock that is put right while the server runs is followed once it is so far from what the process counts. */
const MOST_DRIFT_MS = 2;

/** What all recorded work of an edge shares: where spans go, and the time of day. */
export class SpanOutput {
  private readonly sink: SpanSink;
  private originMs = performance.timeOrigin;

  constructor(sink: SpanSink) {
    this.sink = sink;
  }

  take(spans: readonly SpanRecord[]): void {
    const nowMs = Date.now();
    const drift = nowMs - (this.originMs + performance.now());
    if (Math.abs(drift) > MOST_DRIFT_MS) this.originMs += drift;
    this.sink.take(spans);
  }

  /** Milliseconds since 1970 of a time on `performance.now()`'s clock. */
  timeOf(at: number): number {
    return this.originMs + at;
  }
}

/** One call or item. */
export class TracedWork implements EntryTrace {
  readonly place: SpanPlace;
  protected readonly output: SpanOutput;
  /** The spans of the batches that its rows were in. */
  private readonly batches: SpanPlace[] = [];
  private droppedBatches = 0;

  constructor(output: SpanOutput, traceId: string, traceState: string) {
    this.output = output;
    this.place = { traceId, spanId: newSpanId(), traceState };
  }

  onRun({ traces, modelName, entryCount, rowCount, startedAt, endedAt, end, error }: TracedRun): void {
    const batch: SpanPlace = { traceId: newTraceId(), spanId: newSpanId(), traceState: "" };
    const served: SpanPlace[] = [];
    for (const trace of traces) {
      if (!(trace instanceof TracedWork)) continue;
      served.push(trace.place);
      trace.ranIn(batch);
    }
    const attributes = {
      "assay.model.name": modelName,
      "assay.batch.rows": rowCount,
      "assay.batch.requests": entryCount,
      "assay.batch.end": end,
    };
    const span = this.span(batch, "batch", startedAt, endedAt, attributes, error);
    this.output.take([{ ...span, ...linked(served, 0) }]);
  }

  /** The stages that it passed until `until`, as spans below its own. */
  protected stages(passed: PassedStages, until: number, error: AssayError | undefined): SpanRecord[] {
    const { receivedAt, enqueuedAt, startedAt, endedAt } = passed;
    const spans: SpanRecord[] = [];
    const isEnqueued = enqueuedAt >= receivedAt;
    const hasRun = startedAt >= enqueuedAt;
    const hasEnded = hasRun && endedAt >= startedAt;
    if (!isEnqueued) return spans;
    spans.push(this.below("decode", receivedAt, enqueuedAt));
    spans.push(this.below("enqueue", enqueuedAt, hasRun ? startedAt : until, hasRun ? undefined : error));
    if (hasRun) {
      const run = this.below("run", startedAt, hasEnded ? endedAt : until, error);
      spans.push({ ...run, ...linked(this.batches, this.droppedBatches) });
    }
    if (hasEnded && error === undefined) spans.push(this.below("encode", endedAt, until));
    return spans;
  }

  /** One stage. */
  protected below(name: string, from: number, until: number, error?: AssayError): SpanRecord {
    const { traceId, spanId, traceState } = this.place;
    const place = { traceId, spanId: newSpanId(), traceState };
    return this.span(place, name, from, until, {}, error, spanId);
  }

  protected span(
    place: SpanPlace,
    name: string,
    from: number,
    until: number,
    attributes: SpanAttributes,
    error?: AssayError,
    parentId = "",
  ): SpanRecord {
    const { traceId, spanId, traceState } = place;
    const reason = error === undefined ? "" : reasonName(error.reason);
    if (reason !== "") attributes["error.type"] = reason;
    return {
      traceId,
      spanId,
      traceState,
      parentId,
      isParentRemote: false,
      name,
      kind: "internal",
      startMs: this.output.timeOf(from),
      endMs: this.output.timeOf(until),
      attributes,
      links: NO_LINKS,
      droppedLinks: 0,
      error: reason,
    };
  }

  private ranIn(batch: SpanPlace): void {
    if (this.batches.length < MOST_LINKS) this.batches.push(batch);
    else this.droppedBatches++;
  }
}

const NO_LINKS: readonly SpanPlace[] = [];

function linked(places: readonly SpanPlace[], dropped: number): Pick<SpanRecord, "links" | "droppedLinks"> {
  const links = places.length > MOST_LINKS ? places.slice(0, MOST_LINKS) : places;
  return { links, droppedLinks: dropped + places.length - links.length };
}
