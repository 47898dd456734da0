import type { MetricFamily } from "../metric-text.ts";
import type { SpanRecord, SpanSink } from "../traces/span-record.ts";
import type { ExportHealth } from "./export-health.ts";
import { oneExport } from "./one-export.ts";
import { type SpanBatch, type SpanSender, spanCount } from "./span-batch.ts";

/** How spans wait and go: the limits of the SDK's own batch processor, `OTEL_BSP_…`. */
export interface SpanExportLimits {
  readonly scheduleDelayMs: number;
  readonly maxQueueSize: number;
  readonly maxBatchSize: number;
  readonly timeoutMs: number;
}

/**
 * Sends spans in batches, one after the other. At most so many wait: where the exporter is down, slow or refuses, further ones are
 * dropped and counted, and nobody waits. Its closer is `close`.
 */
export class SpanExport implements SpanSink {
  private readonly sender: SpanSender;
  private readonly limits: SpanExportLimits;
  private readonly health: ExportHealth;
  /** Batches that are full, the oldest first, and the one that is being filled. */
  private full: SpanBatch[] = [];
  private open: SpanBatch | undefined = undefined;
  /** Spans that wait, those of stages too. */
  private waitingCount = 0;
  private timer: NodeJS.Timeout | undefined = undefined;
  /** The sending of what waits; undefined while nothing is sent. */
  private sending: Promise<void> | undefined = undefined;
  private isClosed = false;

  constructor(sender: SpanSender, limits: SpanExportLimits, health: ExportHealth) {
    this.sender = sender;
    this.limits = limits;
    this.health = health;
  }

  take(span: SpanRecord): void {
    if (this.isClosed) return;
    const { maxQueueSize, maxBatchSize } = this.limits;
    const count = spanCount(span);
    if (this.waitingCount + count > maxQueueSize) {
      this.health.droppedAtLimit(count, maxQueueSize, "OTEL_BSP_MAX_QUEUE_SIZE");
      return;
    }
    this.waitingCount += count;
    if (this.open !== undefined && this.open.count + count > maxBatchSize) this.closeOpen(this.open);
    const batch = this.open ?? this.sender.begin();
    this.open = batch;
    batch.add(span);
    if (batch.count >= maxBatchSize) this.closeOpen(batch);
    if (this.sending === undefined) this.sendSoon();
  }

  /** Sends all that waits; resolves when that is done, whether it worked or not. */
  async flush(): Promise<void> {
    while (this.sending !== undefined || this.waitingCount > 0) {
      if (this.sending === undefined) this.send(true);
      await this.sending;
    }
    await this.sender.flush().catch(() => {});
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
    this.full = [];
    this.open = undefined;
    this.waitingCount = 0;
    await this.sender.shutdown().catch(() => {});
  }

  private closeOpen(batch: SpanBatch): void {
    this.full.push(batch);
    this.open = undefined;
  }

  private sendSoon(): void {
    if (this.full.length > 0) this.send(false);
    else this.timer ??= setTimeout(() => this.send(true), this.limits.scheduleDelayMs).unref();
  }

  /** Sends what is full, and where all is to go the rest too. */
  private send(isAll: boolean): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.sending = this.sendWhile(isAll).finally(() => {
      this.sending = undefined;
      if (this.waitingCount > 0) this.sendSoon();
    });
  }

  private async sendWhile(isAll: boolean): Promise<void> {
    for (let batch = this.next(isAll); batch !== undefined; batch = this.next(isAll)) {
      const { count } = batch;
      this.waitingCount -= count;
      try {
        await oneExport((done) => batch!.send(done), this.limits.timeoutMs);
        this.health.succeeded(count);
      } catch (error) {
        this.health.failedWith(count, error);
      }
    }
  }

  private next(isAll: boolean): SpanBatch | undefined {
    const full = this.full.shift();
    if (full !== undefined || !isAll) return full;
    const { open } = this;
    this.open = undefined;
    return open;
  }
}
