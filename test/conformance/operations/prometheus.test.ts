import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { freePort } from "../../support/servers/server-process.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
  };
}

const folder = mkdtempSync(join(tmpdir(), "assay-prometheus-"));
let server: ServerProcess;
let prometheus: ReturnType<typeof spawn>;
let api = "";

async function query(text: string): Promise<Answer> {
  const response = await fetch(`${api}/query?query=${encodeURIComponent(text)}`);
  return (await response.json()) as Answer;
}

async function predict(model: string, body: unknown): Promise<number> {
  const request = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const { status } = await fetch(`http://${server.address}/predict/${model}`, request);
  return status;
}

beforeAll(async () => {
  server = await startServer("models");
  const config = readFileSync(join(ROOT, "deploy/prometheus/prometheus.yml"), "utf8")
    .replace("127.0.0.1:8080", server.address)
    .replace("scrape_interval: 15s", "scrape_interval: 500ms")
    .replace("assay-rules.yml", join(ROOT, "deploy/prometheus/assay-rules.yml"));
  writeFileSync(join(folder, "prometheus.yml"), config);
  const port = await freePort();
  api = `http://127.0.0.1:${port}/api/v1`;
  prometheus = spawn(
    tool("prometheus"),
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    { stdio: "ignore" },
  );
});

afterAll(async () => {
  const ended = once(prometheus, "exit");
  prometheus.kill("SIGTERM");
  await ended;
  await server.stop();
  rmSync(folder, { recursive: true });
});

test("promtool has nothing to say of /metrics but what Triton's names bring with them", async () => {
  const text = await (await fetch(`http://${server.address}/metrics`)).text();
  writeFileSync(join(folder, "metrics"), text);
  const command = `"${tool("promtool")}" check metrics < "${folder}/metrics"`;
  const { stdout, stderr } = await run("bash", ["-c", command]);
  const complaints = `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
  expect(complaints.length).toBeGreaterThan(0);
  expect(complaints.filter((line) => !line.startsWith("nv_inference_"))).toEqual([]);
});

test("a Prometheus scrapes the server, and counts what was sent", async () => {
  for (let i = 0; i < 5; i++) expect(await predict("iris", { features: [5.1, 3.5, 1.4, 0.2] })).toBe(200);
  expect(await predict("iris", { features: [1] })).toBe(422);
  const value = async (text: string) => (await query(text).catch(() => undefined))?.data?.result[0]?.value[1];
  await expect
    .poll(() => value('nv_inference_request_success{model="iris"}'), { timeout: 30_000, interval: 200 })
    .toBe("5");
  expect(await value('up{job="assay"}')).toBe("1");
  expect(await value('http_server_request_duration_seconds_count{error_type="INVALID_REQUEST"}')).toBe("1");
});

test("every query of the dashboard and every alert is one that this Prometheus answers", async () => {
  const dashboard = JSON.parse(readFileSync(join(ROOT, "deploy/grafana/assay.json"), "utf8")) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  // A rate needs two scrapes.
  await expect
    .poll(async () => (await query("rate(nv_inference_count[1m])")).data?.result.length, {
      timeout: 30_000,
      interval: 200,
    })
    .toBeGreaterThan(0);
  for (const { title, targets } of dashboard.panels) {
    const results = [];
    for (const { expr } of targets) {
      const text = expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$\w+/g, ".*");
      const answer = await query(text);
      expect(answer.error, text).toBeUndefined();
      results.push(...answer.data!.result);
    }
    // Nobody has cancelled or failed in the model yet, and nothing but /predict was called.
    expect(results.length, title).toBeGreaterThan(0);
  }
  const rules = await (await fetch(`${api}/rules`)).json();
  const { groups } = (rules as { data: { groups: { rules: { name: string; lastError?: string }[] }[] } })
    .data;
  const names = groups.flatMap((group) => group.rules.map(({ name }) => name));
  expect(names).toHaveLength(7);
  expect(groups.flatMap((group) => group.rules.flatMap(({ lastError }) => lastError ?? []))).toEqual([]);
});
