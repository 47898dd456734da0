/** OpenTelemetry's exporters, which are loaded only here, and only once something is to be sent: they take 100 ms and 35 MB. */
import { randomUUID } from "node:crypto";
import type { Resource } from "@opentelemetry/resources";
import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { packageVersion } from "../../package-files.ts";
import type { Log } from "../log.ts";

/** How OTLP is spoken: `OTEL_EXPORTER_OTLP_PROTOCOL`. */
type Protocol = "grpc" | "http/protobuf" | "http/json";

/** Makes an exporter of spans; where they go, with which headers and certificates, it reads from the environment itself. */
export async function spanExporter(protocol: Protocol): Promise<SpanExporter> {
  if (protocol === "grpc") {
    const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-grpc");
    return new OTLPTraceExporter();
  }
  if (protocol === "http/json") {
    const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
    return new OTLPTraceExporter();
  }
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
  return new OTLPTraceExporter();
}

/** Makes an exporter of metrics, as `spanExporter` does. */
export async function metricExporter(protocol: Protocol): Promise<PushMetricExporter> {
  if (protocol === "grpc") {
    const { OTLPMetricExporter } = await import("@opentelemetry/exporter-metrics-otlp-grpc");
    return new OTLPMetricExporter();
  }
  if (protocol === "http/json") {
    const { OTLPMetricExporter } = await import("@opentelemetry/exporter-metrics-otlp-http");
    return new OTLPMetricExporter();
  }
  const { OTLPMetricExporter } = await import("@opentelemetry/exporter-metrics-otlp-proto");
  return new OTLPMetricExporter();
}

/** `OTEL_TRACES_EXPORTER=console`: spans as lines of the log, since standard output is for programs that start servers. */
export function logExporter(log: Log): SpanExporter {
  return {
    export(spans, done) {
      for (const span of spans) log.info(fieldsOf(span), "span");
      done({ code: 0 });
    },
    shutdown: () => Promise.resolve(),
  };
}

function fieldsOf(span: ReadableSpan): object {
  const { name, status, attributes, links } = span;
  const { traceId, spanId } = span.spanContext();
  const [seconds, nanoseconds] = span.duration;
  return {
    trace_id: traceId,
    span_id: spanId,
    ...(span.parentSpanContext === undefined ? {} : { parent_span_id: span.parentSpanContext.spanId }),
    name,
    durationMs: seconds * 1000 + nanoseconds / 1e6,
    attributes,
    ...(links.length === 0 ? {} : { links: links.map(({ context }) => context.spanId) }),
    ...(status.message === undefined ? {} : { reason: status.message }),
  };
}

/** Who sends: Assay's facts, under those of `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`. */
export async function ownResource(): Promise<Resource> {
  const { defaultResource, detectResources, envDetector, hostDetector, resourceFromAttributes } =
    await import("@opentelemetry/resources");
  const own = resourceFromAttributes({
    "service.name": "assay",
    "service.version": packageVersion(),
    "service.instance.id": randomUUID(),
    "process.pid": process.pid,
    "process.runtime.name": "nodejs",
    "process.runtime.version": process.versions.node,
  });
  const resource = defaultResource()
    .merge(detectResources({ detectors: [hostDetector] }))
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
  await resource.waitForAsyncAttributes?.();
  return resource;
}
