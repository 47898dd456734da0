import { afterAll, beforeAll, expect, test } from "vitest";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";

let server: AppServer;
beforeAll(async () => {
  server = await startAppServer("models");
});
afterAll(() => server.app.close());

/** Samples by their names with labels. */
async function scrape(accept = ""): Promise<Map<string, number>> {
  const response = await fetch(`${server.url}/metrics`, { headers: accept === "" ? {} : { accept } });
  expect(response.status).toBe(200);
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

function predict(model: string, body: unknown): Promise<Response> {
  return fetch(`${server.url}/predict/${model}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

test("requests, rows, runs and failures are counted by Triton's rules under its names", async () => {
  const features = [5.1, 3.5, 1.4, 0.2];
  for (let i = 0; i < 3; i++) expect((await predict("iris", { features })).status).toBe(200);
  expect((await predict("iris", { features: [features, features] })).status).toBe(200);
  const samples = await scrape();
  const of = (name: string) => samples.get(`${name}{model="iris",version="1"}`);
  expect(of("nv_inference_request_success")).toBe(4);
  expect(of("nv_inference_count")).toBe(5);
  expect(of("nv_inference_exec_count")).toBe(4);
  expect(of("nv_inference_pending_request_count")).toBe(0);
  expect(of("nv_inference_request_duration_us")).toBeGreaterThan(0);
  expect(samples.get('nv_inference_request_failure{model="iris",version="1",reason="REJECTED"}')).toBe(0);
  expect(of("assay_batch_rows_count")).toBe(4);
  expect(of("assay_batch_rows_sum")).toBe(5);
  expect(of("assay_model_ready")).toBe(1);
  expect(
    samples.get('assay_instance_restarts_total{model="iris",version="1",device="cpu:0",instance_index="0"}'),
  ).toBe(0);
});

test("a caller who invents models or paths makes no series", async () => {
  const before = await scrape();
  for (let i = 0; i < 50; i++) {
    expect((await predict(`invented-${i}`, { features: [1] })).status).toBe(404);
    expect((await fetch(`${server.url}/invented-${i}`)).status).toBe(404);
    expect((await fetch(`${server.url}/v2/models/invented-${i}`)).status).toBe(404);
  }
  const after = await scrape();
  expect([...after.keys()].filter((name) => name.includes("invented"))).toEqual([]);
  expect(after.size - before.size).toBeLessThan(80);
  expect(after.get('assay_streams_refused_total{reason="UNIMPLEMENTED"}')).toBe(50);
});

test("what is scraped is OpenMetrics where that is asked for, and says what the process takes", async () => {
  const response = await fetch(`${server.url}/metrics`, {
    headers: { accept: "application/openmetrics-text;version=1.0.0" },
  });
  expect(response.headers.get("content-type")).toBe(
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
  );
  const text = await response.text();
  expect(text.endsWith("# EOF\n")).toBe(true);
  const samples = await scrape();
  expect(samples.get("process_resident_memory_bytes")).toBeGreaterThan(1e6);
  expect(samples.get("assay_connections_open")).toBeGreaterThan(0);
  expect(samples.has("nodejs_eventloop_delay_p99_seconds")).toBe(true);
});
