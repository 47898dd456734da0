/** A receiver of OTLP, made from the published definition: over gRPC, and over HTTP with protobuf or JSON. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync, type MethodDefinition, type ServiceDefinition } from "@grpc/proto-loader";

/** A span as it came, its ids in hexadecimal digits and its attributes as plain values. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: string;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: string; readonly message: string };
  readonly resource: Readonly<Record<string, string | number | boolean>>;
}

/** A metric as it came. */
export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly ReceivedPoint[];
}

/** One point of a metric: `value` of a number, `count`, `sum` and the rest of a histogram. */
export interface ReceivedPoint {
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly value: number | undefined;
  readonly count: number;
  readonly sum: number;
  readonly bounds: readonly number[];
  readonly bucketCounts: readonly number[];
}

/** What a receiver was sent; whoever started it closes it. */
export interface OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** The last ones. */
  readonly metrics: ReceivedMetric[];
  /** Header fields of the last request over HTTP, or metadata over gRPC. */
  readonly headers: Record<string, unknown>;
  /** Resolves with the spans once `isDone` says so of them; rejects after 20 s. */
  until(isDone: (receiver: OtlpReceiver) => boolean): Promise<void>;
  close(): Promise<void>;
}

const LONGEST_WAIT_MS = 20_000;
const folder = fileURLToPath(new URL("../../fixtures/otlp", import.meta.url));
const definition = loadSync(
  ["trace", "metrics"].map((kind) => `opentelemetry/proto/collector/${kind}/v1/${kind}_service.proto`),
  { includeDirs: [folder], longs: String, enums: String, defaults: true },
);
const TRACES = methodOf("trace.v1.TraceService");
const METRICS = methodOf("metrics.v1.MetricsService");

type Method = MethodDefinition<object, object>;

function methodOf(name: string): Method {
  const service = definition[`opentelemetry.proto.collector.${name}`] as ServiceDefinition;
  return service.Export as Method;
}

class Receiver {
  readonly spans: ReceivedSpan[] = [];
  metrics: ReceivedMetric[] = [];
  headers: Record<string, unknown> = {};
  private waiting: (() => void)[] = [];

  take(kind: "traces" | "metrics", message: unknown, headers: Record<string, unknown>): void {
    this.headers = headers;
    if (kind === "traces") this.spans.push(...spansOf(message as Traces));
    else this.metrics = metricsOf(message as Metrics);
    for (const look of this.waiting) look();
  }

  until(isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const had = this.spans.map(({ name }) => name).join(", ");
        reject(new Error(`what was waited for did not come; spans that came: ${had}`));
      }, LONGEST_WAIT_MS);
      const look = () => {
        if (!isDone()) return;
        clearTimeout(timer);
        this.waiting = this.waiting.filter((one) => one !== look);
        resolve();
      };
      this.waiting.push(look);
      look();
    });
  }
}

/** Starts one on a free port. */
export async function startOtlpReceiver(protocol: "grpc" | "http"): Promise<OtlpReceiver> {
  const receiver = new Receiver();
  const { url, close } = protocol === "grpc" ? await startGrpc(receiver) : await startHttp(receiver);
  const started: OtlpReceiver = {
    url,
    spans: receiver.spans,
    get metrics() {
      return receiver.metrics;
    },
    get headers() {
      return receiver.headers;
    },
    until: (isDone) => receiver.until(() => isDone(started)),
    close,
  };
  return started;
}

interface Started {
  readonly url: string;
  close(): Promise<void>;
}

async function startGrpc(receiver: Receiver): Promise<Started> {
  const server = new grpc.Server();
  for (const [kind, method] of [
    ["traces", TRACES],
    ["metrics", METRICS],
  ] as const) {
    server.addService(
      { Export: method },
      {
        Export(call: grpc.ServerUnaryCall<object, object>, done: grpc.sendUnaryData<object>) {
          receiver.take(kind, call.request, call.metadata.getMap());
          done(null, {});
        },
      },
    );
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { url: `http://127.0.0.1:${port}`, close: async () => server.forceShutdown() };
}

async function startHttp(receiver: Receiver): Promise<Started> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const kind = request.url === "/v1/traces" ? "traces" : "metrics";
    const method = kind === "traces" ? TRACES : METRICS;
    const body = Buffer.concat(chunks);
    const isJson = request.headers["content-type"] === "application/json";
    receiver.take(kind, isJson ? JSON.parse(String(body)) : method.requestDeserialize(body), request.headers);
    response.writeHead(200, { "content-type": request.headers["content-type"]! });
    response.end(isJson ? "{}" : method.responseSerialize({}));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

interface KeyValue {
  readonly key: string;
  readonly value: Record<string, unknown>;
}
interface Traces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}
interface SentSpan {
  readonly traceId: Uint8Array | string;
  readonly spanId: Uint8Array | string;
  readonly parentSpanId: Uint8Array | string | undefined;
  readonly traceState: string | undefined;
  readonly name: string;
  /** JSON has the number. */
  readonly kind: string | number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly links: readonly { readonly traceId: Uint8Array; readonly spanId: Uint8Array }[];
  readonly status: { readonly code: string; readonly message: string } | undefined;
}

function spansOf({ resourceSpans }: Traces): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: hex(span.parentSpanId ?? ""),
        traceState: span.traceState ?? "",
        name: span.name,
        kind: span.kind === 2 ? "SPAN_KIND_SERVER" : String(span.kind),
        startNs: BigInt(span.startTimeUnixNano),
        endNs: BigInt(span.endTimeUnixNano),
        attributes: valuesOf(span.attributes),
        links: span.links.map((link) => ({ traceId: hex(link.traceId), spanId: hex(link.spanId) })),
        status: { code: String(span.status?.code ?? ""), message: span.status?.message ?? "" },
        resource: valuesOf(resource.attributes),
      })),
    ),
  );
}

interface Metrics {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly ({ readonly name: string; readonly unit: string } & Record<
        "sum" | "gauge" | "histogram",
        { readonly dataPoints: readonly SentPoint[] } | null
      >)[];
    }[];
  }[];
}
type SentPoint = Record<string, unknown> & { readonly attributes: readonly KeyValue[] };

function metricsOf({ resourceMetrics }: Metrics): ReceivedMetric[] {
  return resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.map(({ name, unit, sum, gauge, histogram }) => ({
        name,
        unit,
        points: (sum ?? gauge ?? histogram)!.dataPoints.map(pointOf),
      })),
    ),
  );
}

function pointOf(point: SentPoint): ReceivedPoint {
  const { asDouble, asInt, count, sum, explicitBounds, bucketCounts } = point;
  return {
    attributes: valuesOf(point.attributes),
    value: histogramOnly(point) ? undefined : Number(asDouble || asInt || 0),
    count: Number(count ?? 0),
    sum: Number(sum ?? 0),
    bounds: ((explicitBounds ?? []) as unknown[]).map(Number),
    bucketCounts: ((bucketCounts ?? []) as unknown[]).map(Number),
  };
}

function histogramOnly(point: SentPoint): boolean {
  return ((point.bucketCounts ?? []) as unknown[]).length > 0;
}

function valuesOf(attributes: readonly KeyValue[]): Record<string, string | number | boolean> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: Record<string, unknown>): string | number | boolean {
  if (value.value !== undefined) return plainValue({ [String(value.value)]: value[String(value.value)] });
  if (value.intValue) return Number(value.intValue);
  if (value.doubleValue) return Number(value.doubleValue);
  if (value.boolValue) return true;
  return value.stringValue ? String(value.stringValue) : value.intValue === undefined ? "" : 0;
}

function hex(bytes: Uint8Array | string): string {
  return typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("hex");
}
