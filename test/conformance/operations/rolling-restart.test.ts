import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { collect } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { freePort, type ServerProcess, startServerProcess } from "../../support/servers/server-process.ts";
import { isReady, ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";
import { type DeployLoad, type LoadReport, startLoad } from "./deploy-load.ts";

const GRACE_MS = 3000;
// Longer than nginx leaves a server alone, and than the others take to see two good answers.
const SETTLE_MS = 2500;
const DRAIN_FLAGS = [
  "--drain-grace-ms",
  String(GRACE_MS),
  "--drain-timeout-ms",
  "10000",
  "--listen-when-ready",
];
const TLS = join(ROOT, "test/fixtures/tls");
const folder = fileFolder();
const servers: ServerProcess[] = [];
const proxies: {
  readonly child: ChildProcess;
  readonly printed: () => { stdout: string; stderr: string };
}[] = [];

/** A file of deploy/ with the addresses of this test. */
function deployed(file: string, changes: readonly (readonly [from: string, to: string])[]): string {
  let text = readFileSync(join(ROOT, "deploy", file), "utf8");
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`deploy/${file} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function start(name: string, args: readonly string[]): void {
  const child = spawn(tool(name), args, { cwd: folder });
  proxies.push({ child, printed: collect(child) });
}

async function startNginx(port: number): Promise<void> {
  const site = deployed("nginx/assay.conf", [
    ["10.0.0.11:8080", `127.0.0.1:${servers[0]!.port}`],
    ["10.0.0.12:8080", `127.0.0.1:${servers[1]!.port}`],
    ["listen 443 ", `listen 127.0.0.1:${port} `],
    ["/etc/nginx/tls/assay.crt", join(TLS, "localhost-cert.pem")],
    ["/etc/nginx/tls/assay.key", join(TLS, "localhost-key.pem")],
  ]);
  mkdirSync(join(folder, "nginx"));
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((one) => `${one}_temp_path ${folder}/nginx/${one};`)
    .join("\n");
  const config = `daemon off; worker_processes 2; pid ${folder}/nginx/pid; error_log stderr warn;
events { worker_connections 1024; }
http {
access_log off;
${paths}
include ${write("assay.conf", site)};
}`;
  start("nginx", ["-p", folder, "-c", write("nginx.conf", config)]);
}

async function startHaproxy(port: number, securePort: number): Promise<void> {
  write(
    "haproxy.pem",
    readFileSync(join(TLS, "localhost-cert.pem"), "utf8") +
      readFileSync(join(TLS, "localhost-key.pem"), "utf8"),
  );
  const config = deployed("haproxy/haproxy.cfg", [
    ["10.0.0.11:8080", `127.0.0.1:${servers[0]!.port}`],
    ["10.0.0.12:8080", `127.0.0.1:${servers[1]!.port}`],
    ["bind :8000", `bind 127.0.0.1:${port}`],
    ["bind :8443", `bind 127.0.0.1:${securePort}`],
    ["/etc/haproxy/tls/assay.pem", join(folder, "haproxy.pem")],
  ]);
  start("haproxy", ["-db", "-f", write("haproxy.cfg", config)]);
}

async function startEnvoy(port: number): Promise<void> {
  const config = deployed("envoy/envoy.yaml", [
    ["address: 10.0.0.11, port_value: 8080", `address: 127.0.0.1, port_value: ${servers[0]!.port}`],
    ["address: 10.0.0.12, port_value: 8080", `address: 127.0.0.1, port_value: ${servers[1]!.port}`],
    ["port_value: 8000", `port_value: ${port}`],
    ["port_value: 9901", `port_value: ${await freePort()}`],
  ]);
  start("envoy", [
    "-c",
    write("envoy.yaml", config),
    "--log-level",
    "warn",
    "--concurrency",
    "1",
    "--disable-hot-restart",
  ]);
}

/** True where a port speaks HTTPS and `/readyz` answers 200. */
function isReadyOverTls(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(
      { host: "127.0.0.1", port, path: "/readyz", rejectUnauthorized: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    asked.once("error", () => resolve(false));
    asked.end();
  });
}

/** Waits until `holds`; throws with what the proxies said where that takes too long. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const lastMs = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > lastMs)
      throw new Error(`${what}: ${proxies.map(({ printed }) => printed().stderr).join("\n")}`);
    await delay(50);
  }
}

const ports = { nginx: 0, HAProxy: 0, "HAProxy over TLS": 0, Envoy: 0 };

beforeAll(async () => {
  for (let i = 0; i < 2; i++) servers.push(await startServerProcess(join(ROOT, "models"), ...DRAIN_FLAGS));
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
  await startNginx(ports.nginx);
  await startHaproxy(ports.HAProxy, ports["HAProxy over TLS"]);
  await startEnvoy(ports.Envoy);
  await until("nginx", () => isReadyOverTls(ports.nginx));
  await until("HAProxy over TLS", () => isReadyOverTls(ports["HAProxy over TLS"]));
  await until("HAProxy", () => isReady(`127.0.0.1:${ports.HAProxy}`));
  await until("Envoy", () => isReady(`127.0.0.1:${ports.Envoy}`));
});

afterAll(async () => {
  for (const { child } of proxies) {
    if (child.exitCode !== null) continue;
    const ended = once(child, "close");
    child.kill("SIGTERM");
    await ended;
  }
  await Promise.all(servers.map((server) => server.terminate()));
});

describe("two servers are restarted one after the other under load", () => {
  let reports: Record<string, LoadReport>;
  beforeAll(async () => {
    const loads: Record<string, DeployLoad> = {
      nginx: await startLoad(`127.0.0.1:${ports.nginx}`, "-tls"),
      HAProxy: await startLoad(`127.0.0.1:${ports.HAProxy}`),
      Envoy: await startLoad(`127.0.0.1:${ports.Envoy}`),
    };
    for (const [place, server] of servers.entries()) {
      expect(await server.terminate()).toBe(0);
      servers[place] = await startServerProcess(
        join(ROOT, "models"),
        "--port",
        String(server.port),
        ...DRAIN_FLAGS,
      );
      await delay(SETTLE_MS);
    }
    const ended = await Promise.all(
      Object.entries(loads).map(async ([name, load]) => [name, await load.end()] as const),
    );
    reports = Object.fromEntries(ended);
    if (process.env.ROLLING_PRINT)
      process.stderr.write(
        `${JSON.stringify(reports, undefined, 1)}\n${proxies.map(({ printed }) => printed().stderr).join("\n----\n")}`,
      );
  });

  test.each(["nginx", "HAProxy", "Envoy"])("behind %s no call fails, and all are answered alike", (name) => {
    for (const [way, { answered, failures, different }] of Object.entries(reports[name]!)) {
      expect(failures, way).toEqual([]);
      expect(answered, way).toBeGreaterThan(100);
      expect(different, way).toBe(1);
    }
  });
});
