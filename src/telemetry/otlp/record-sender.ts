import type { Resource } from "@opentelemetry/resources";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import type { SpanRecord } from "../traces/span-record.ts";
import type { ExportResult } from "./one-export.ts";
import { addSentSpans, type SentSpan } from "./sent-span.ts";
import { type SpanBatch, type SpanSender, spanCount } from "./span-batch.ts";

/** Sends spans by any exporter that is written for OpenTelemetry's SDK. They wait as the plain records that they came as. */
export class RecordSender implements SpanSender {
  private readonly exporter: SpanExporter;
  private readonly resource: Resource;

  constructor(exporter: SpanExporter, resource: Resource) {
    this.exporter = exporter;
    this.resource = resource;
  }

  begin(): SpanBatch {
    return new RecordBatch(this.exporter, this.resource);
  }

  async flush(): Promise<void> {
    await this.exporter.forceFlush?.();
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }
}

class RecordBatch implements SpanBatch {
  count = 0;
  private readonly records: SpanRecord[] = [];
  private readonly exporter: SpanExporter;
  private readonly resource: Resource;

  constructor(exporter: SpanExporter, resource: Resource) {
    this.exporter = exporter;
    this.resource = resource;
  }

  add(span: SpanRecord): void {
    this.records.push(span);
    this.count += spanCount(span);
  }

  send(done: (result: ExportResult) => void): void {
    const spans: SentSpan[] = [];
    for (const record of this.records) addSentSpans(record, this.resource, spans);
    this.exporter.export(spans, done);
  }
}
