/** OpenTelemetry's exporters, which are loaded only here, and only once something is to be sent: they take 100 ms and 35 MB. */
import { randomUUID } from "node:crypto";
import type { IOtlpExportDelegate } from "@opentelemetry/otlp-exporter-base";
import type { Resource } from "@opentelemetry/resources";
import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { packageVersion } from "../../package-files.ts";
import type { Log } from "../log.ts";
import { OctetSender, type WrittenRequest } from "./octet-sender.ts";
import { RecordSender } from "./record-sender.ts";
import type { SpanSender } from "./span-batch.ts";

/** How OTLP is spoken: `OTEL_EXPORTER_OTLP_PROTOCOL`. */
type Protocol = "grpc" | "http/protobuf" | "http/json";

/** Makes what sends spans; where they go, with which headers and certificates, OpenTelemetry's exporters read from the environment. */
export async function spanSender(protocol: Protocol, resource: Resource): Promise<SpanSender> {
  if (protocol === "grpc") {
    const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-grpc");
    return new RecordSender(new OTLPTraceExporter(), resource);
  }
  if (protocol === "http/json") {
    const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
    return new RecordSender(new OTLPTraceExporter(), resource);
  }
  return new OctetSender(await requestDelegate(), resource);
}

/** What OpenTelemetry's exporter of protobuf over HTTP is but for its writer. */
async function requestDelegate(): Promise<IOtlpExportDelegate<WrittenRequest>> {
  const { convertLegacyHttpOptions, createOtlpHttpExportDelegate } = await import(
    "@opentelemetry/otlp-exporter-base/node-http"
  );
  const type = { "Content-Type": "application/x-protobuf" };
  const options = convertLegacyHttpOptions({}, "TRACES", "v1/traces", type);
  // What an answer says besides its status goes to a log of OpenTelemetry's that is not there.
  const serializer = {
    serializeRequest: ({ octets }: WrittenRequest) => octets,
    deserializeResponse: () => ({}),
  };
  const helper = { name: "span", countItems: ({ count }: WrittenRequest) => count } as const;
  return createOtlpHttpExportDelegate(options, serializer, "otlp_http_span_exporter", helper, undefined);
}

/** Makes an exporter of metrics, as `spanSender` does. */
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
export function logSender(log: Log, resource: Resource): SpanSender {
  const exporter: SpanExporter = {
    export(spans, done) {
      for (const span of spans) log.info(fieldsOf(span), "span");
      done({ code: 0 });
    },
    shutdown: () => Promise.resolve(),
  };
  return new RecordSender(exporter, resource);
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
