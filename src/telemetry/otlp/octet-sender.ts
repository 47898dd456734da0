/**
 * Spans to OTLP over HTTP in protobuf, the default. They are written soon after they have ended, and wait as octets: OpenTelemetry's own
 * writer takes objects that wait until they are sent, and three times as long. All else is its exporter's: where they go, header fields,
 * certificates, compression, time-outs and further tries.
 */
import type { IOtlpExportDelegate } from "@opentelemetry/otlp-exporter-base";
import type { Resource } from "@opentelemetry/resources";
import type { SpanRecord } from "../traces/span-record.ts";
import { OctetWriter } from "./octet-writer.ts";
import type { ExportResult } from "./one-export.ts";
import { RequestFrame } from "./request-frame.ts";
import { type SpanBatch, type SpanSender, spanCount } from "./span-batch.ts";
import { writeSpans } from "./span-octets.ts";

/** An ExportTraceServiceRequest that is written already, and how many spans it has. */
export interface WrittenRequest {
  readonly octets: Uint8Array;
  readonly count: number;
}

/**
 * Records that wait to be written together: by profile, the spans of one call in a hundred took five times as long as those of one of many,
 * presumably since the processor's caches hold nothing of the writer any more.
 */
const WRITTEN_TOGETHER = 64;
/** A batch of 512 spans has some 100 KB. */
const FIRST_BYTES = 16_384;

/** Sends spans of one resource. */
export class OctetSender implements SpanSender {
  private readonly delegate: IOtlpExportDelegate<WrittenRequest>;
  private readonly frame: RequestFrame;
  /** What the last batch was written with, for the next one: memory that is new costs more than what is written to it. */
  private spare: OctetWriter | undefined = undefined;

  constructor(delegate: IOtlpExportDelegate<WrittenRequest>, resource: Resource) {
    this.delegate = delegate;
    this.frame = new RequestFrame(resource);
  }

  begin(): SpanBatch {
    const writer = this.spare ?? new OctetWriter(FIRST_BYTES);
    this.spare = undefined;
    return new OctetBatch(this, writer);
  }

  /** Sends a batch, whose writer is another's from then on. */
  send(writer: OctetWriter, count: number, done: (result: ExportResult) => void): void {
    const octets = this.frame.around(writer.written());
    writer.clear();
    this.spare = writer;
    this.delegate.export({ octets, count }, done);
  }

  flush(): Promise<void> {
    return this.delegate.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.delegate.shutdown();
  }
}

class OctetBatch implements SpanBatch {
  count = 0;
  private readonly sender: OctetSender;
  private readonly writer: OctetWriter;
  private waiting: SpanRecord[] = [];

  constructor(sender: OctetSender, writer: OctetWriter) {
    this.sender = sender;
    this.writer = writer;
  }

  add(span: SpanRecord): void {
    this.count += spanCount(span);
    if (this.waiting.push(span) >= WRITTEN_TOGETHER) this.write();
  }

  send(done: (result: ExportResult) => void): void {
    this.write();
    this.sender.send(this.writer, this.count, done);
  }

  private write(): void {
    for (const span of this.waiting) writeSpans(this.writer, span);
    this.waiting = [];
  }
}
