import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { exampleRepository } from "../../support/folders.ts";
import { startAppServer } from "../../support/servers/app-server.ts";
import { type ServerProcess, startServerWith } from "../../support/servers/server-process.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../../support/telemetry/otlp-receiver.ts";

const models = exampleRepository("iris");
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function receiverOf(protocol: "grpc" | "http"): Promise<OtlpReceiver> {
  const receiver = await startOtlpReceiver(protocol);
  closers.push(() => receiver.close());
  return receiver;
}

async function serverWith(environment: Record<string, string>, ...flags: string[]): Promise<ServerProcess> {
  const server = await startServerWith(environment, models, ...flags);
  closers.push(() => server.kill());
  return server;
}

async function score(
  { url }: Pick<ServerProcess, "url">,
  headers: Record<string, string> = {},
): Promise<void> {
  const response = await fetch(`${url}/predict/iris`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close", ...headers },
    body: JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] }),
  });
  expect(response.status, await response.text()).toBe(200);
}

async function scraped({ url }: ServerProcess): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(" ")),
      Number(line.slice(line.lastIndexOf(" ") + 1)),
    ]),
  );
}

const serversSpans = ({ spans }: OtlpReceiver) => spans.filter(({ kind }) => kind === "SPAN_KIND_SERVER");

test.each(["grpc", "http/protobuf"])(
  "metrics come by %s under the names and with the values of /metrics",
  async (protocol) => {
    const receiver = await receiverOf(protocol === "grpc" ? "grpc" : "http");
    const server = await serverWith({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_TRACES_EXPORTER: "none",
      OTEL_METRIC_EXPORT_INTERVAL: "200",
    });
    for (let call = 0; call < 3; call++) await score(server);
    const family = (name: string) => receiver.metrics.find((metric) => metric.name === name);
    const pointOf = (name: string, model: string) =>
      family(name)?.points.find(({ attributes }) => attributes.model === model);
    await receiver.until(() => pointOf("nv_inference_request_success", "iris")?.value === 3);
    const samples = await scraped(server);
    const label = '{model="iris",version="1"}';
    expect(pointOf("nv_inference_count", "iris")!.value).toBe(samples.get(`nv_inference_count${label}`));
    const runs = pointOf("assay_run_duration_seconds", "iris")!;
    expect(family("assay_run_duration_seconds")!.unit).toBe("s");
    expect(runs.count).toBe(samples.get(`assay_run_duration_seconds_count${label}`));
    expect(runs.sum).toBeCloseTo(samples.get(`assay_run_duration_seconds_sum${label}`)!, 9);
    expect(runs.bounds.slice(0, 3)).toEqual([0.0001, 0.00025, 0.0005]);
    expect(runs.bucketCounts.reduce((sum, count) => sum + count, 0)).toBe(runs.count);
    const names = new Set(
      [...samples.keys()].map((name) => name.replace(/\{.*$/, "").replace(/_(bucket|sum|count)$/, "")),
    );
    const sent = new Set(receiver.metrics.map(({ name }) => name.replace(/_count$/, "")));
    expect([...names].filter((name) => !sent.has(name))).toEqual([]);
  },
);

test("spans come over gRPC from every edge, and those that are left with the drain", async () => {
  const receiver = await receiverOf("grpc");
  const server = await serverWith(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_METRICS_EXPORTER: "none",
      OTEL_BSP_SCHEDULE_DELAY: "600000",
    },
    "--edges",
    "2",
  );
  // So many connections meet one edge of two alone once in 2^29 times.
  await Promise.all(Array.from({ length: 30 }, () => score(server)));
  expect(receiver.spans).toEqual([]);
  expect(await server.terminate()).toBe(0);
  closers.pop();
  expect(serversSpans(receiver)).toHaveLength(30);
  const runs = receiver.spans.filter(({ name }) => name === "run");
  const batches = new Set(receiver.spans.filter(({ name }) => name === "batch").map(({ spanId }) => spanId));
  expect(runs).toHaveLength(30);
  for (const { links } of runs) expect(batches.has(links[0]!.spanId)).toBe(true);
});

test("OTLP in JSON is sent where that is asked for", async () => {
  const receiver = await receiverOf("http");
  const server = await serverWith({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/v1/traces`,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_BSP_SCHEDULE_DELAY: "50",
  });
  await score(server);
  await receiver.until((one) => serversSpans(one).length === 1);
  expect(receiver.headers["content-type"]).toBe("application/json");
});

test("spans are lines of the log with the console's exporter", async () => {
  const lines: { fields: object; message: string }[] = [];
  const tell = (fields: object, message: string) => void lines.push({ fields, message });
  const log = { debug: tell, info: tell, warn: tell, error: tell, isLevelEnabled: () => true };
  const { app, url } = await startAppServer(
    models,
    {},
    { log, environment: { OTEL_TRACES_EXPORTER: "console" } },
  );
  await score({ url });
  await app.drain();
  const spans = lines.filter(({ message }) => message === "span").map(({ fields }) => fields);
  expect(spans.map((fields) => (fields as { name: string }).name)).toEqual([
    "batch",
    "POST /predict/{model}",
    ...["decode", "enqueue", "run", "encode"],
  ]);
  expect(spans[1]).toMatchObject({ trace_id: expect.any(String), attributes: { "assay.rows": 1 } });
});

test("a receiver that is not there, or says nothing, is told of once, keeps no call waiting and ends no drain", async () => {
  const held: Socket[] = [];
  const silent = createServer((socket) => held.push(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  closers.push(async () => {
    for (const socket of held) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  for (const [endpoint, timeoutMs] of [
    ["http://127.0.0.1:9", "500"],
    [`http://127.0.0.1:${port}`, "300"],
  ] as const) {
    const server = await serverWith({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_TIMEOUT: timeoutMs,
      OTEL_BSP_SCHEDULE_DELAY: "20",
      OTEL_BSP_MAX_QUEUE_SIZE: "32",
    });
    await Promise.all(Array.from({ length: 120 }, () => score(server)));
    await expect.poll(() => server.logText, { timeout: 15_000 }).toContain("could not be sent");
    const samples = await scraped(server);
    expect(samples.get('assay_spans_total{outcome="exported"}')).toBe(0);
    expect(samples.get('assay_spans_total{outcome="failed"}')).toBeGreaterThan(0);
    // What is refused at once may be gone before the queue is full.
    const isSilent = endpoint.endsWith(String(port));
    if (isSilent) expect(samples.get('assay_spans_total{outcome="dropped"}')).toBeGreaterThan(0);
    expect(await server.terminate()).toBe(0);
    closers.pop();
    expect(server.logText.match(/could not be sent/g)).toHaveLength(1);
    if (isSilent) expect(server.logText.match(/are dropped/g)).toHaveLength(1);
  }
});

test("an endpoint that is none turns nothing on and ends nothing", async () => {
  const server = await serverWith({ OTEL_EXPORTER_OTLP_ENDPOINT: "no url", OTEL_BSP_SCHEDULE_DELAY: "20" });
  await score(server);
  await expect.poll(() => server.logText, { timeout: 10_000 }).toMatch(/OTLP/);
});
