import type { Resource } from "@opentelemetry/resources";
import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { MetricFamily } from "../metric-text.ts";
import type { ExportHealth } from "./export-health.ts";
import { resourceMetrics } from "./metric-form.ts";
import { oneExport } from "./one-export.ts";
import { hrTime } from "./sent-span.ts";

/** How often metrics are sent, and how long that may take. */
export interface MetricExportLimits {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Sends what `/metrics` tells, again and again; a time at which the last one is still on its way is left out. Its closer is `close`. */
export class MetricExport {
  private readonly exporter: PushMetricExporter;
  private readonly resource: Resource;
  private readonly limits: MetricExportLimits;
  private readonly health: ExportHealth;
  private readonly from = hrTime(performance.timeOrigin);
  private source: (() => Promise<readonly MetricFamily[]>) | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  private sending: Promise<void> | undefined = undefined;

  constructor(
    exporter: PushMetricExporter,
    resource: Resource,
    limits: MetricExportLimits,
    health: ExportHealth,
  ) {
    this.exporter = exporter;
    this.resource = resource;
    this.limits = limits;
    this.health = health;
  }

  /** Sends from now on what the source gives. */
  begin(source: () => Promise<readonly MetricFamily[]>): void {
    this.source = source;
    this.timer = setInterval(() => void this.send(), this.limits.intervalMs).unref();
  }

  /** Sends once more; resolves when that is done, whether it worked or not. */
  async flush(): Promise<void> {
    await this.sending;
    await this.send();
  }

  families(): MetricFamily[] {
    return this.health.families(
      "assay_metric_exports_total",
      "Times at which metrics were sent by OTLP, by how that ended.",
    );
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.exporter.shutdown().catch(() => {});
  }

  private async send(): Promise<void> {
    if (this.sending !== undefined) return;
    this.sending = this.sendOnce().finally(() => {
      this.sending = undefined;
    });
    await this.sending;
  }

  private async sendOnce(): Promise<void> {
    if (this.source === undefined) return;
    try {
      const families = await this.source();
      const until = hrTime(Date.now());
      const metrics = resourceMetrics(families, this.resource, { from: this.from, until });
      await oneExport((done) => this.exporter.export(metrics, done), this.limits.timeoutMs);
      this.health.succeeded(1);
    } catch (error) {
      this.health.failedWith(1, error);
    }
  }
}
