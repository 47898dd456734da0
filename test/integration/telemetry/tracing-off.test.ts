import { expect, test, vi } from "vitest";
import { loadScoringClient, predict } from "../../support/clients/grpc-js-client.ts";
import { exampleRepository } from "../../support/folders.ts";
import { startAppServer } from "../../support/servers/app-server.ts";
import { startServerWith } from "../../support/servers/server-process.ts";

const models = exampleRepository("iris");
const made = vi.hoisted(() => ({ work: 0 }));
vi.mock("../../../src/edge/trace/traced-work.ts", async (original) => {
  const module = await original<typeof import("../../../src/edge/trace/traced-work.ts")>();
  class Counted extends module.TracedWork {
    constructor(...parts: ConstructorParameters<typeof module.TracedWork>) {
      super(...parts);
      made.work++;
    }
  }
  return { ...module, TracedWork: Counted };
});

const FEATURES = [5.1, 3.5, 1.4, 0.2];
const PARENT = "0af7651916cd43dd8448eb211c80319c";

/** Calls in several protocols, each of a caller whose trace is sampled. */
async function callAll(address: string): Promise<void> {
  const headers = {
    "content-type": "application/json",
    traceparent: `00-${PARENT}-b7ad6b7169203331-01`,
  };
  for (const [path, body] of [
    ["/predict/iris", { features: FEATURES }],
    ["/assay.v1.ScoringService/Predict", { modelName: "iris", features: FEATURES }],
    ["/v1/models/iris:predict", { instances: [FEATURES] }],
  ] as const) {
    const response = await fetch(`http://${address}${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    expect(response.status, await response.text()).toBe(200);
  }
  const client = loadScoringClient(address);
  await predict(client, { model_name: "iris", features: FEATURES });
  const stream = client.PredictStream();
  stream.end({ item_id: "1", request: { model_name: "iris", features: FEATURES } });
  for await (const _ of stream);
  client.close();
}

test("where tracing is off no span is made", async () => {
  const server = await startAppServer(models);
  await callAll(server.address);
  expect(made.work).toBe(0);
  expect((await (await fetch(`${server.url}/metrics`)).text()).includes("assay_spans_total")).toBe(false);
  await server.app.close();
});

test("where it is on the same calls make some, so that the count above could fail", async () => {
  const server = await startAppServer(models, {}, { environment: { OTEL_TRACES_EXPORTER: "console" } });
  await callAll(server.address);
  // Five calls and an item.
  expect(made.work).toBe(6);
  await server.app.close();
});

/** Names each module of OpenTelemetry's that is loaded, on standard error. */
const TELLS_MODULES = `data:text/javascript,${encodeURIComponent(
  'import { registerHooks } from "node:module"; registerHooks({ load(url, context, next) { if (url.includes("@opentelemetry")) process.stderr.write("LOADED " + url + "\\n"); return next(url, context); } });',
)}`;

test("nothing of OpenTelemetry's is loaded unless a variable asks for it", async () => {
  const loadedWith = async (environment: Record<string, string>) => {
    const server = await startServerWith(
      { ...environment, NODE_OPTIONS: `--import=${TELLS_MODULES}` },
      models,
    );
    expect(await server.terminate()).toBe(0);
    return server.logText.match(/^LOADED .*$/gm) ?? [];
  };
  expect(await loadedWith({ OTEL_SERVICE_NAME: "scores" })).toEqual([]);
  expect(
    await loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_SDK_DISABLED: "true" }),
  ).toEqual([]);
  expect((await loadedWith({ OTEL_TRACES_EXPORTER: "otlp" })).length).toBeGreaterThan(10);
});
