/** What is recorded of a call or an item whose rows run: its span with its stages, and those of the batches that it was part of. */
import { reasonName } from "../../errors.ts";
import type { EntryTrace, PassedStages, TracedRun } from "../../telemetry/traces/entry-trace.ts";
import type {
  SpanAttributes,
  SpanPlace,
  SpanRecord,
  SpanSink,
  StageRecord,
} from "../../telemetry/traces/span-record.ts";
import { SPAN_IDS, traceIdsBelow } from "./trace-ids.ts";

/** The most links of one span: OpenTelemetry's own limit. */
const MOST_LINKS = 128;
/** A clock that is put right while the server runs is followed once it is so far from what the process counts, which is looked at so often. */
const MOST_DRIFT_MS = 2;
const DRIFT_LOOK_MS = 100;
/** A batch is in no caller's trace. */
const BATCH_TRACE_IDS = traceIdsBelow(2 ** 32);
const NO_LINKS: readonly SpanPlace[] = [];
const NO_STAGES: readonly StageRecord[] = [];

/** What all recorded work of an edge shares: where spans go, and the time of day. */
export class SpanOutput {
  private readonly sink: SpanSink;
  private originMs = performance.timeOrigin;
  private nextLookAt = 0;

  constructor(sink: SpanSink) {
    this.sink = sink;
  }

  take(span: SpanRecord): void {
    if (span.endMs - this.originMs >= this.nextLookAt) this.lookAtClock();
    this.sink.take(span);
  }

  private lookAtClock(): void {
    const now = performance.now();
    const drift = Date.now() - (this.originMs + now);
    if (Math.abs(drift) > MOST_DRIFT_MS) this.originMs += drift;
    this.nextLookAt = now + DRIFT_LOOK_MS;
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
  private readonly parentId: string;
  private readonly isParentRemote: boolean;
  /** The spans of the batches that its rows were in. */
  private readonly batches: SpanPlace[] = [];
  private droppedBatches = 0;

  /** `parentId`: empty where its span is the first of its trace. */
  constructor(
    output: SpanOutput,
    traceId: string,
    traceState: string,
    parentId: string,
    isParentRemote: boolean,
  ) {
    this.output = output;
    this.place = { traceId, spanId: SPAN_IDS.next(), traceState };
    this.parentId = parentId;
    this.isParentRemote = isParentRemote;
  }

  onRun({ traces, modelName, entryCount, rowCount, startedAt, endedAt, end, error }: TracedRun): void {
    const place: SpanPlace = { traceId: BATCH_TRACE_IDS.next(), spanId: SPAN_IDS.next(), traceState: "" };
    const served: SpanPlace[] = [];
    for (const trace of traces) {
      if (!(trace instanceof TracedWork)) continue;
      if (served.length < MOST_LINKS) served.push(trace.place);
      trace.ranIn(place);
    }
    const attributes: SpanAttributes = {
      "assay.model.name": modelName,
      "assay.batch.rows": rowCount,
      "assay.batch.requests": entryCount,
      "assay.batch.end": end,
    };
    const reason = error === undefined ? "" : reasonName(error.reason);
    if (reason !== "") attributes["error.type"] = reason;
    this.output.take({
      traceId: place.traceId,
      spanId: place.spanId,
      traceState: "",
      parentId: "",
      isParentRemote: false,
      name: "batch",
      kind: "internal",
      startMs: this.output.timeOf(startedAt),
      endMs: this.output.timeOf(endedAt),
      attributes,
      links: served,
      droppedLinks: traces.length - served.length,
      error: reason,
      stages: NO_STAGES,
    });
  }

  /** Gives its span away, which lasted until `until`. `error`: what its status says. */
  protected give(
    name: string,
    kind: SpanRecord["kind"],
    from: number,
    until: number,
    attributes: SpanAttributes,
    error: string,
    stages: readonly StageRecord[],
  ): void {
    const { traceId, spanId, traceState } = this.place;
    this.output.take({
      traceId,
      spanId,
      traceState,
      parentId: this.parentId,
      isParentRemote: this.isParentRemote,
      name,
      kind,
      startMs: this.output.timeOf(from),
      endMs: this.output.timeOf(until),
      attributes,
      links: NO_LINKS,
      droppedLinks: 0,
      error,
      stages,
    });
  }

  /** The stages that it passed until `until`. `reason`: empty where it did not fail. */
  protected stages(passed: PassedStages, until: number, reason: string): readonly StageRecord[] {
    const { receivedAt, enqueuedAt, startedAt, endedAt } = passed;
    if (!(enqueuedAt >= receivedAt)) return NO_STAGES;
    const decode = this.stage("decode", receivedAt, enqueuedAt, "");
    if (!(startedAt >= enqueuedAt)) return [decode, this.stage("enqueue", enqueuedAt, until, reason)];
    const enqueue = this.stage("enqueue", enqueuedAt, startedAt, "");
    const hasEnded = endedAt >= startedAt;
    const run: StageRecord = {
      name: "run",
      startMs: this.output.timeOf(startedAt),
      endMs: this.output.timeOf(hasEnded ? endedAt : until),
      links: this.batches,
      droppedLinks: this.droppedBatches,
      error: reason,
    };
    if (!hasEnded || reason !== "") return [decode, enqueue, run];
    return [decode, enqueue, run, this.stage("encode", endedAt, until, "")];
  }

  /** One stage. */
  protected stage(name: string, from: number, until: number, error: string): StageRecord {
    const startMs = this.output.timeOf(from);
    return { name, startMs, endMs: this.output.timeOf(until), links: NO_LINKS, droppedLinks: 0, error };
  }

  private ranIn(batch: SpanPlace): void {
    if (this.batches.length < MOST_LINKS) this.batches.push(batch);
    else this.droppedBatches++;
  }
}
