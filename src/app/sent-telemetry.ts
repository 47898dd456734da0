/**
 * What the server sends of itself: spans and metrics by OTLP, where OpenTelemetry's variables ask for it. Promises: nothing of
 * OpenTelemetry's is loaded otherwise; an exporter that cannot be made, is down or slow never ends or holds the server.
 */
import { type OtelSettings, readOtelSettings } from "../config/otel-settings.ts";
import type { TraceOptions } from "../edge/trace/call-tracer.ts";
import type { Log } from "../telemetry/log.ts";
import type { MetricFamily } from "../telemetry/metric-text.ts";
import type { MetricExport } from "../telemetry/otlp/metric-export.ts";
import type { SpanExport } from "../telemetry/otlp/span-export.ts";

/** How long the end of a server waits for what is to be sent last. */
const LAST_EXPORT_MS = 3_000;

/** What is sent of a server; whoever opened it ends it. */
export class SentTelemetry {
  /** What edges are made with; undefined: tracing is off. */
  readonly tracing: TraceOptions | undefined;
  private readonly spans: SpanExport | undefined;
  private readonly metrics: MetricExport | undefined;
  private isEnded = false;

  constructor(
    rule: TraceOptions["rule"] | undefined,
    spans: SpanExport | undefined,
    metrics: MetricExport | undefined,
  ) {
    this.tracing = rule === undefined || spans === undefined ? undefined : { rule, sink: spans };
    this.spans = spans;
    this.metrics = metrics;
  }

  /** Sends what `source` gives at each interval. */
  begin(source: () => Promise<readonly MetricFamily[]>): void {
    this.metrics?.begin(source);
  }

  /** What became of what was sent. */
  families(): MetricFamily[] {
    return [...(this.spans?.families() ?? []), ...(this.metrics?.families() ?? [])];
  }

  /** Sends what is left, at most for some seconds. */
  async flush(): Promise<void> {
    if (this.isEnded) return;
    const { promise: isOver, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_EXPORT_MS);
    await Promise.race([Promise.all([this.spans?.flush(), this.metrics?.flush()]), isOver]);
    clearTimeout(timer);
  }

  /** Sends nothing more. */
  close(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    void this.spans?.close();
    void this.metrics?.close();
  }
}

/** Opens what the environment asks for. Never rejects: what cannot be had is told in the log, and the server goes without. */
export async function openTelemetry(
  environment: Readonly<Record<string, string | undefined>>,
  log: Log,
): Promise<SentTelemetry> {
  const settings = readOtelSettings(environment);
  for (const notice of settings.notices) log.warn({}, notice);
  if (settings.traces === undefined && settings.metrics === undefined)
    return new SentTelemetry(undefined, undefined, undefined);
  try {
    return await openExports(settings, log);
  } catch (error) {
    log.error({ err: error }, "nothing is sent by OTLP: its exporters cannot be made of what OTEL_… says");
    return new SentTelemetry(undefined, undefined, undefined);
  }
}

async function openExports({ traces, metrics }: OtelSettings, log: Log): Promise<SentTelemetry> {
  const [exporters, { SpanExport }, { MetricExport }, { ExportHealth }] = await Promise.all([
    import("../telemetry/otlp/exporters.ts"),
    import("../telemetry/otlp/span-export.ts"),
    import("../telemetry/otlp/metric-export.ts"),
    import("../telemetry/otlp/export-health.ts"),
  ]);
  const resource = await exporters.ownResource();
  let spans: SpanExport | undefined;
  if (traces !== undefined) {
    const { exporter, protocol } = traces;
    const sender =
      exporter === "console"
        ? exporters.logSender(log, resource)
        : await exporters.spanSender(protocol, resource);
    spans = new SpanExport(sender, traces, new ExportHealth("span", log));
  }
  const pushed =
    metrics === undefined
      ? undefined
      : new MetricExport(
          await exporters.metricExporter(metrics.protocol),
          resource,
          metrics,
          new ExportHealth("metric export", log),
        );
  const told = {
    ...(traces === undefined ? {} : { traces: traces.exporter, ...traces.rule }),
    ...(metrics === undefined ? {} : { metricIntervalMs: metrics.intervalMs }),
  };
  log.info(told, "OpenTelemetry is on");
  return new SentTelemetry(traces?.rule, spans, pushed);
}
