import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LoadedScoringClient, loadScoringClient } from "../../support/clients/grpc-js-client.ts";
import { exampleRepository } from "../../support/folders.ts";
import { type ServerProcess, startServerWith } from "../../support/servers/server-process.ts";
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from "../../support/telemetry/otlp-receiver.ts";

const FEATURES = [5.1, 3.5, 1.4, 0.2];
const STATE = "vendor=a1,other=b2";
const models = exampleRepository("iris");
let receiver: OtlpReceiver;
let server: ServerProcess;
let client: LoadedScoringClient;

beforeAll(async () => {
  receiver = await startOtlpReceiver("http");
  server = await startServerWith(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=t1",
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_SERVICE_NAME: "scores",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
      OTEL_TRACES_SAMPLER: "parentbased_always_off",
    },
    models,
  );
  client = loadScoringClient(`127.0.0.1:${server.port}`);
});
afterAll(async () => {
  client?.close();
  await server?.terminate();
  await receiver?.close();
});

let traceCount = 0;
/** The trace of a caller: its id, and the fields that it sends. */
function callersTrace(isSampled = true): { id: string; fields: Record<string, string> } {
  const id = (++traceCount).toString(16).padStart(32, "a");
  const traceparent = `00-${id}-b7ad6b7169203331-0${isSampled ? 1 : 0}`;
  return { id, fields: { traceparent, tracestate: STATE } };
}

function post(path: string, body: unknown, fields: Record<string, string>): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...fields },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** The spans of a trace, once its server's span has come: it comes after those of its stages that are not its own message. */
async function spansOf(id: string): Promise<ReceivedSpan[]> {
  const ofTrace = () => receiver.spans.filter(({ traceId }) => traceId === id);
  await receiver.until(() => ofTrace().some(({ kind }) => kind === "SPAN_KIND_SERVER"));
  return ofTrace();
}

function serversSpan(spans: readonly ReceivedSpan[]): ReceivedSpan {
  const found = spans.filter(({ kind }) => kind === "SPAN_KIND_SERVER");
  expect(found).toHaveLength(1);
  return found[0]!;
}

const TENSOR = { name: "features", datatype: "FP32", shape: [1, 4], data: FEATURES };
const BODIES: readonly (readonly [name: string, path: string, body: unknown, system: string])[] = [
  ["POST /predict/{model}", "/predict/iris", { features: FEATURES }, ""],
  [
    "assay.v1.ScoringService/Predict",
    "/assay.v1.ScoringService/Predict",
    { modelName: "iris", features: FEATURES },
    "connectrpc",
  ],
  ["POST /v2/models/{model}/infer", "/v2/models/iris/infer", { inputs: [TENSOR] }, ""],
  ["POST /v1/models/{model}:predict", "/v1/models/iris:predict", { instances: [FEATURES] }, ""],
];

test.each(BODIES)(
  "a caller's trace goes on in %s, with a span for each stage",
  async (name, path, body, system) => {
    const { id, fields } = callersTrace();
    const response = await post(path, body, fields);
    expect([response.status, await response.text()]).toEqual([200, expect.any(String)]);
    const spans = await spansOf(id);
    const own = serversSpan(spans);
    expect(own).toMatchObject({ name, parentSpanId: "b7ad6b7169203331", traceState: STATE });
    expect(response.headers.get("traceresponse")).toBe(`00-${id}-${own.spanId}-01`);
    expect(own.status.code).toBe("STATUS_CODE_UNSET");
    expect(own.attributes["assay.model.name"]).toBe("iris");
    if (system === "") expect(own.attributes["http.response.status_code"]).toBe(200);
    else
      expect(own.attributes).toMatchObject({ "rpc.system.name": system, "rpc.response.status_code": "OK" });
    const stages = spans.filter((span) => span !== own);
    expect(stages.map((stage) => stage.name)).toEqual(["decode", "enqueue", "run", "encode"]);
    let from = own.startNs;
    for (const stage of stages) {
      expect(stage).toMatchObject({ parentSpanId: own.spanId, startNs: from });
      expect(stage.endNs).toBeGreaterThanOrEqual(stage.startNs);
      from = stage.endNs;
    }
    expect(from).toBe(own.endNs);
    expect(own.resource).toMatchObject({ "service.name": "scores", "deployment.environment.name": "test" });
    expect(receiver.headers["x-tenant"]).toBe("t1");
  },
);

test("a call over gRPC has a span that is named after its method", async () => {
  const { id, fields } = callersTrace();
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  await new Promise<void>((resolve, reject) => {
    const call = client as unknown as {
      Predict(request: object, metadata: grpc.Metadata, done: (error: Error | null) => void): void;
    };
    call.Predict({ model_name: "iris", features: FEATURES }, metadata, (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  const own = serversSpan(await spansOf(id));
  expect(own).toMatchObject({ name: "assay.v1.ScoringService/Predict", traceState: STATE });
  expect(own.attributes).toMatchObject({
    "rpc.system.name": "grpc",
    "rpc.method": "assay.v1.ScoringService/Predict",
    "rpc.response.status_code": "OK",
    "network.protocol.version": "2",
  });
});

test("a stream has a span, and each of its items one below it", async () => {
  const { id, fields } = callersTrace();
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  const call = client as unknown as {
    PredictStream(metadata: grpc.Metadata): grpc.ClientDuplexStream<object, object>;
  };
  const stream = call.PredictStream(metadata);
  stream.write({ item_id: "1", request: { model_name: "iris", features: FEATURES } });
  stream.end({ item_id: "2", request: { model_name: "iris", features: [1] } });
  for await (const _ of stream);
  const spans = await spansOf(id);
  const own = serversSpan(spans);
  expect(own.name).toBe("assay.v1.ScoringService/PredictStream");
  expect(own.attributes).toMatchObject({ "assay.items": 2, "assay.failed_items": 1 });
  const items = spans.filter(({ name }) => name === "item");
  items.sort((one, other) =>
    one.attributes["assay.item_id"]! < other.attributes["assay.item_id"]! ? -1 : 1,
  );
  expect(items.map(({ parentSpanId, status }) => [parentSpanId, status.message])).toEqual([
    [own.spanId, ""],
    [own.spanId, "INVALID_REQUEST"],
  ]);
  const stages = spans.filter(({ parentSpanId }) => parentSpanId === items[0]!.spanId);
  expect(stages.map(({ name }) => name)).toEqual(["decode", "enqueue", "run", "encode"]);
});

test("the span of a batch is linked with the calls that it served, and theirs with it", async () => {
  const traces = Array.from({ length: 6 }, () => callersTrace());
  await Promise.all(traces.map(({ fields }) => post("/predict/iris", { features: FEATURES }, fields)));
  const own = await Promise.all(traces.map(async ({ id }) => serversSpan(await spansOf(id))));
  const ids = new Set(own.map(({ spanId }) => spanId));
  const batches = receiver.spans.filter(
    ({ name, links }) => name === "batch" && links.some(({ spanId }) => ids.has(spanId)),
  );
  const served = batches.flatMap(({ links }) => links);
  expect(new Set(served.map(({ spanId }) => spanId))).toEqual(ids);
  expect(served).toHaveLength(own.length);
  const counts = batches.map(({ attributes }) => Number(attributes["assay.batch.requests"]));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(own.length);
  for (const { id } of traces) {
    const run = (await spansOf(id)).find(({ name }) => name === "run")!;
    expect(batches.map(({ spanId }) => spanId)).toContain(run.links[0]!.spanId);
  }
});

test("a refused call's span says the reason, an error only where it is the server's; its log line has both ids", async () => {
  const { id, fields } = callersTrace();
  const planted = "planted-word-5c1f";
  expect((await post("/predict/iris", { features: [planted, 1, 1, 1] }, fields)).status).toBe(422);
  const spans = await spansOf(id);
  const own = serversSpan(spans);
  expect(own.status.code).toBe("STATUS_CODE_UNSET");
  expect(own.attributes["error.type"]).toBe("INVALID_REQUEST");
  const decode = spans.find(({ name }) => name === "decode")!;
  expect(decode.status).toEqual({ code: "STATUS_CODE_ERROR", message: "INVALID_REQUEST" });
  expect(server.logText).toContain(`"trace_id":"${id}","span_id":"${own.spanId}"`);
  const { id: unknown, fields: again } = callersTrace();
  expect((await post(`/predict/${planted}`, { features: FEATURES }, again)).status).toBe(404);
  expect(serversSpan(await spansOf(unknown)).attributes["error.type"]).toBe("MODEL_NOT_FOUND");
  const text = JSON.stringify(receiver.spans, (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  expect(text).not.toContain(planted);
});

test("what the sampler leaves out has no span, and neither have probes", async () => {
  const left = callersTrace(false);
  const answer = await post("/predict/iris", { features: FEATURES }, left.fields);
  expect([answer.status, answer.headers.get("traceresponse")]).toEqual([200, null]);
  expect((await post("/predict/iris", { features: FEATURES }, {})).status).toBe(200);
  const probe = callersTrace();
  expect((await fetch(`${server.url}/readyz`, { headers: probe.fields })).status).toBe(200);
  const last = callersTrace();
  await post("/predict/iris", { features: FEATURES }, last.fields);
  await spansOf(last.id);
  const ids = new Set(receiver.spans.map(({ traceId }) => traceId));
  expect(ids.has(left.id) || ids.has(probe.id)).toBe(false);
});

test("OpenMetrics has exemplars that lead to traces", async () => {
  const { id, fields } = callersTrace();
  await post("/predict/iris", { features: FEATURES }, fields);
  await spansOf(id);
  const scrape = async (accept: string) =>
    await (await fetch(`${server.url}/metrics`, { headers: { accept } })).text();
  const open = await scrape("application/openmetrics-text;version=1.0.0");
  expect(open).toMatch(
    new RegExp(
      `^http_server_request_duration_seconds_bucket\\{.*\\} \\d+ # \\{trace_id="${id}",span_id="[0-9a-f]{16}"\\} [0-9.e-]+ \\d+(\\.\\d+)?$`,
      "m",
    ),
  );
  const classic = await scrape("text/plain");
  expect(classic).not.toContain(" # {");
  expect(Number(/^assay_spans_total\{outcome="exported"\} (\d+)$/m.exec(classic)?.[1])).toBeGreaterThan(0);
});
