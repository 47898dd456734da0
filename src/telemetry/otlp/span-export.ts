import type { Resource } from "@opentelemetry/resources";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import type { MetricFamily } from "../metric-text.ts";
import type { SpanRecord, SpanSink } from "../traces/span-record.ts";
import type { ExportHealth } from "./export-health.ts";
import { oneExport } from "./one-export.ts";
import { addSentSpans, type SentSpan } from "./sent-span.ts";

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
  /** Spans that wait, those of stages too. */
  private waitingCount = 0;
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

  take(span: SpanRecord): void {
    if (this.isClosed) return;
    const { maxQueueSize } = this.limits;
    const count = countOf(span);
    if (this.waitingCount + count > maxQueueSize) {
      this.health.droppedAtLimit(count, maxQueueSize, "OTEL_BSP_MAX_QUEUE_SIZE");
      return;
    }
    this.waiting.push(span);
    this.waitingCount += count;
    if (this.sending === undefined) this.sendSoon();
  }

  /** Sends all that waits; resolves when that is done, whether it worked or not. */
  async flush(): Promise<void> {
    while (this.sending !== undefined || this.waitingCount > 0) {
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
    this.waitingCount = 0;
    await this.exporter.shutdown().catch(() => {});
  }

  private sendSoon(): void {
    const { maxBatchSize, scheduleDelayMs } = this.limits;
    if (this.waitingCount >= maxBatchSize) this.send(maxBatchSize);
    else this.timer ??= setTimeout(() => this.send(1), scheduleDelayMs).unref();
  }

  /** Sends batches as long as so many spans wait for one. */
  private send(least: number): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.sending = this.sendWhile(least).finally(() => {
      this.sending = undefined;
      if (this.waitingCount > 0) this.sendSoon();
    });
  }

  private async sendWhile(least: number): Promise<void> {
    while (this.waitingCount >= least && this.waitingCount > 0) {
      const spans = this.nextBatch();
      try {
        await oneExport((done) => this.exporter.export(spans, done), this.limits.timeoutMs);
        this.health.succeeded(spans.length);
      } catch (error) {
        this.health.failedWith(spans.length, error);
      }
    }
  }

  /** At most so many spans, unless one has more with its stages. */
  private nextBatch(): SentSpan[] {
    const spans: SentSpan[] = [];
    let taken = 0;
    for (const span of this.waiting) {
      if (taken > 0 && spans.length + countOf(span) > this.limits.maxBatchSize) break;
      addSentSpans(span, this.resource, spans);
      taken++;
    }
    this.waiting.splice(0, taken);
    this.waitingCount -= spans.length;
    return spans;
  }
}

/** With those of its stages. */
function countOf({ stages }: SpanRecord): number {
  return 1 + stages.length;
}
