import type { Resource } from "@opentelemetry/resources";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import type { MetricFamily } from "../metric-text.ts";
import type { SpanRecord, SpanSink } from "../traces/span-record.ts";
import type { ExportHealth } from "./export-health.ts";
import { oneExport } from "./one-export.ts";
import { readableSpan } from "./readable-span.ts";

/** How spans wait and go: the limits of the SDK's own batch processor, `OTEL_BSP_…`. */
export interface SpanExportLimits {
  readonly scheduleDelayMs: number;
  readonly maxQueueSize: number;
  readonly maxBatchSize: number;
  readonly timeoutMs: number;
}

/**
 * Sends spans in batches, one after the other. Spans wait as the plain records that they came as, at most so many: where the exporter
 * is down, slow or refuses, further ones are dropped and counted, and nobody waits. Its closer is `close`.
 */
export class SpanExport implements SpanSink {
  private readonly exporter: SpanExporter;
  private readonly resource: Resource;
  private readonly limits: SpanExportLimits;
  private readonly health: ExportHealth;
  private waiting: SpanRecord[] = [];
  private timer: NodeJS.Timeout | undefined = undefined;
  /** The sending of what waits; undefined while nothing is sent. */
  private sending: Promise<void> | undefined = undefined;
  private isClosed = false;

  constructor(exporter: SpanExporter, resource: Resource, limits: SpanExportLimits, health: ExportHealth) {
    this.exporter = exporter;
    this.resource = resource;
    this.limits = limits;
    this.health = health;
  }

  take(spans: readonly SpanRecord[]): void {
    if (this.isClosed) return;
    const { maxQueueSize, maxBatchSize, scheduleDelayMs } = this.limits;
    const room = maxQueueSize - this.waiting.length;
    for (let i = 0; i < spans.length && i < room; i++) this.waiting.push(spans[i]!);
    if (spans.length > room)
      this.health.droppedAtLimit(spans.length - Math.max(room, 0), maxQueueSize, "OTEL_BSP_MAX_QUEUE_SIZE");
    if (this.sending !== undefined) return;
    if (this.waiting.length >= maxBatchSize) this.send(maxBatchSize);
    else this.timer ??= setTimeout(() => this.send(1), scheduleDelayMs).unref();
  }

  /** Sends all that waits; resolves when that is done, whether it worked or not. */
  async flush(): Promise<void> {
    while (this.sending !== undefined || this.waiting.length > 0) {
      if (this.sending === undefined) this.send(1);
      await this.sending;
    }
    await this.exporter.forceFlush?.().catch(() => {});
  }

  families(): MetricFamily[] {
    return this.health.families(
      "assay_spans_total",
      "Spans of recorded traces, by what became of them on their way out.",
    );
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.waiting = [];
    await this.exporter.shutdown().catch(() => {});
  }

  /** Sends batches as long as so many spans wait for one. */
  private send(least: number): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.sending = this.sendWhile(least).finally(() => {
      this.sending = undefined;
      if (this.waiting.length > 0) this.take([]);
    });
  }

  private async sendWhile(least: number): Promise<void> {
    const { maxBatchSize, timeoutMs } = this.limits;
    while (this.waiting.length >= least && this.waiting.length > 0) {
      const batch = this.waiting.splice(0, maxBatchSize);
      try {
        const spans = batch.map((span) => readableSpan(span, this.resource));
        await oneExport((done) => this.exporter.export(spans, done), timeoutMs);
        this.health.succeeded(batch.length);
      } catch (error) {
        this.health.failedWith(batch.length, error);
      }
    }
  }
}
