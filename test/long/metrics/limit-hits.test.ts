import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import type { EdgeLimits } from "../../../src/edge/call/limits.ts";
import {
  CONTINUATION,
  HEADERS,
  PING,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
} from "../../../src/http2/frame/frame.ts";
import { encodeFields } from "../../../src/http2/hpack/hpack-encoder.ts";
import { LIMITS, type Limit } from "../../../src/limits.ts";
import { rawConnection } from "../../support/clients/raw-connection.ts";
import {
  data,
  frame,
  RawHttp2Client,
  REQUEST,
  request,
  reset,
  settings,
  uint32,
  windowUpdate,
} from "../../support/clients/raw-http2-client.ts";
import { framed } from "../../support/clients/wire-octets.ts";
import { writeAffineRepository } from "../../support/models/affine-repository.ts";
import { startAppServer } from "../../support/servers/app-server.ts";
import { testedEdge } from "../../support/servers/tested-servers.ts";

/** Limits that are counted where they are driven: in the test that is named, whose file would fail without the count. */
const DRIVEN_ELSEWHERE: Partial<Record<Limit, string>> = {
  "open-files": "test/integration/edge/open-files.test.ts",
  heap: "test/unit/edge/memory/memory-budget.test.ts",
  "http2-keepalive": "test/unit/edge/metrics/limit-metrics.test.ts",
  "http2-small-windows": "test/unit/edge/metrics/limit-metrics.test.ts",
  "http2-closed-streams": "test/unit/edge/metrics/limit-metrics.test.ts",
  "http2-forced-resets": "test/unit/edge/metrics/limit-metrics.test.ts",
  "discarded-body": "test/integration/http2/early-answer.test.ts",
  "run-bytes": "test/unit/edge/metrics/limit-metrics.test.ts",
  "run-timeout-ms": "test/long/process/hung-run.test.ts",
  "load-timeout-ms": "test/long/process/hung-run.test.ts",
  "waiting-updates": "test/unit/registry/updates/update-queue.test.ts",
  "access-lines": "test/unit/edge/access/access-log.test.ts",
  "log-bytes": "test/unit/telemetry/line-output.test.ts",
};

/** Everything of one port that a case needs. */
interface Target {
  readonly port: number;
  readonly url: string;
}

const driven = new Set<Limit>();

async function hitsOf(url: string, limit: Limit): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers: { connection: "close" } })).text();
  return Number(new RegExp(`^assay_limit_hits_total\\{limit="${limit}"\\} (\\d+)$`, "m").exec(text)![1]);
}

async function counts(target: Target, limit: Limit, drive: (target: Target) => Promise<void>): Promise<void> {
  const before = await hitsOf(target.url, limit);
  await drive(target);
  await expect.poll(() => hitsOf(target.url, limit), { timeout: 5000, interval: 20 }).toBeGreaterThan(before);
  driven.add(limit);
}

async function oneRefused({ port }: Target): Promise<void> {
  const all = await Promise.all([1, 2, 3, 4].map(() => rawConnection(port)));
  for (const raw of all) raw.write("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n");
  const texts = await Promise.all(all.map((raw) => raw.until((text) => /^HTTP\/1\.1 (200|503) /.test(text))));
  expect(texts.some((text) => text.startsWith("HTTP/1.1 503 "))).toBe(true);
  for (const { socket } of all) socket.destroy();
}

const json = { "content-type": "application/json" };
const post = (body: string | Buffer, status: number, path = "/predict", headers: object = json) =>
  async function send({ url }: Target): Promise<void> {
    const response = await fetch(`${url}${path}`, { method: "POST", headers: { ...headers }, body });
    expect([response.status, await response.text()]).toEqual([status, expect.anything()]);
  };
const octets =
  (text: string) =>
  async ({ port }: Target): Promise<void> => {
    const raw = await rawConnection(port);
    raw.write(text);
    await raw.closed();
  };
const frames =
  (...all: readonly Uint8Array[]) =>
  async ({ port }: Target): Promise<void> => {
    const client = await RawHttp2Client.open(port);
    client.send(...all);
    await client.goaway();
    await client.close();
  };
const repeat = (count: number, make: (i: number) => Buffer) =>
  Array.from({ length: count }, (_, i) => make(i));
const id = (i: number) => 2 * i + 1;
const METRICS = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/metrics"],
  [":authority", "a"],
] as const;
const HANG = '{"model_name":"hang","features":[1]}';
const head = (length: number) => `POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`;

test.each<[Limit, Partial<EdgeLimits>, (target: Target) => Promise<void>]>([
  ["max-connections", { maxConnections: 2, maxConnectionsPerPeer: 2 }, oneRefused],
  ["max-connections-per-peer", { maxConnectionsPerPeer: 2 }, oneRefused],
  ["header-timeout-ms", { headerTimeoutMs: 50 }, octets("")],
  ["header-timeout-ms", { headerTimeoutMs: 50 }, octets("GET / HTTP/1.1\r\nhost")],
  ["header-timeout-ms", { headerTimeoutMs: 50 }, octets("POST /predict HTTP/1.1\r\nhost")],
  ["header-timeout-ms", { headerTimeoutMs: 50 }, octets("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
  ["idle-timeout-ms", { idleTimeoutMs: 50 }, octets("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")],
  ["idle-timeout-ms", { idleTimeoutMs: 50 }, octets(`${head(16)}{"features":[1]}`)],
  [
    "idle-timeout-ms",
    { idleTimeoutMs: 50 },
    async ({ port }) => {
      const client = await RawHttp2Client.open(port);
      await client.goaway();
      await client.close();
    },
  ],
  ["max-header-list-bytes", {}, octets(`GET / HTTP/1.1\r\nhost: a\r\nx: ${"a".repeat(20_000)}\r\n\r\n`)],
  [
    "max-header-list-bytes",
    {},
    async ({ port }) => {
      const client = await RawHttp2Client.open(port);
      client.send(request(1, { fields: [...REQUEST, ["x", "a".repeat(16_300)]] }));
      await client.response(1);
      await client.close();
    },
  ],
  [
    "max-concurrent-streams",
    { maxConcurrentStreams: 1 },
    async ({ port }) => {
      const client = await RawHttp2Client.open(port);
      const fields = [...REQUEST.filter(([name]) => name !== ":path"), [":path", "/predict"]] as const;
      client.send(...[1, 3].map((streamId) => request(streamId, { fields, endStream: false })));
      expect((await client.response(3)).resetCode).toBe(7);
      await client.close();
    },
  ],
  [
    "http2-header-block",
    {},
    frames(
      frame(HEADERS, 0, 1, encodeFields(REQUEST)),
      ...repeat(40, () => frame(CONTINUATION, 0, 1, Buffer.of(0x82))),
    ),
  ],
  [
    "http2-resets",
    {},
    frames(...repeat(3000, (i) => Buffer.concat([request(id(i), { endStream: false }), reset(id(i), 8)]))),
  ],
  [
    "http2-refused-streams",
    { maxConcurrentStreams: 1 },
    frames(...repeat(6000, (i) => request(id(i), { endStream: false }))),
  ],
  ["http2-pings", {}, frames(...repeat(5000, () => frame(PING, 0, 0, Buffer.alloc(8))))],
  ["http2-settings", {}, frames(...repeat(1000, () => frame(SETTINGS, 0, 0)))],
  [
    "http2-empty-data",
    {},
    frames(request(1, { endStream: false }), ...repeat(2000, () => data(1, Buffer.alloc(0)))),
  ],
  ["http2-window-updates", {}, frames(...repeat(30_000, () => windowUpdate(0, 1)))],
  [
    "http2-priorities",
    {},
    frames(...repeat(5000, () => frame(PRIORITY, 0, 1, Buffer.concat([uint32(3), Buffer.of(1)])))),
  ],
  ["http2-unknown-frames", {}, frames(...repeat(5000, () => frame(0x42, 0, 0)))],
  [
    "http1-read-ahead",
    {},
    async ({ port }) => {
      const raw = await rawConnection(port);
      raw.write(`${head(HANG.length)}${HANG}`.repeat(1000));
      await delay(100);
      raw.socket.destroy();
    },
  ],
  [
    "max-unread-answer-bytes",
    { maxUnreadAnswerBytes: 1000 },
    async ({ port }) => {
      const client = await RawHttp2Client.open(port, settings([4, 0]));
      client.send(...repeat(3, (i) => request(id(i), { fields: METRICS })));
      // The first answer is more than may wait; what comes behind it is given up.
      expect((await client.next((f) => f.type === RST_STREAM)).payload.readUInt32BE(0)).toBe(11);
      await client.close();
    },
  ],
  [
    "unread-timeout-ms",
    { unreadTimeoutMs: 50 },
    async ({ port }) => {
      const client = await RawHttp2Client.open(port, settings([4, 0]));
      client.send(request(1, { fields: METRICS }));
      expect((await client.response(1)).resetCode).toBe(8);
      await client.close();
    },
  ],
  ["call-timeout-ms", { callTimeoutMs: 50 }, post(HANG, 504)],
  [
    "body-timeout-ms",
    { bodyTimeoutMs: 50 },
    async ({ port }) => {
      const raw = await rawConnection(port);
      raw.write(`${head(100)}{`);
      await raw.until((text) => text.startsWith("HTTP/1.1 504 "));
      raw.socket.destroy();
    },
  ],
  ["max-message-bytes", { maxMessageBytes: 1000 }, post(" ".repeat(1001), 413)],
  [
    "max-message-bytes",
    { maxMessageBytes: 1000 },
    post(gzipSync(" ".repeat(100_000)), 413, "/predict", { ...json, "content-encoding": "gzip" }),
  ],
  [
    "max-message-bytes",
    { maxMessageBytes: 1000 },
    post(framed(0, Buffer.alloc(1001)), 200, "/assay.v1.ScoringService/Predict", {
      "content-type": "application/grpc-web+proto",
    }),
  ],
  ["message-memory", {}, post(`{"x":[${"{},".repeat(340_000)}{}]}`, 413)],
  ["max-request-memory-bytes", { maxRequestMemoryBytes: BigInt(1000) }, post(" ".repeat(2000), 429)],
  ["message-depth", {}, post("[".repeat(200), 422)],
  [
    "message-depth",
    {},
    post(Buffer.alloc(2000, (15 << 3) | 3), 400, "/assay.v1.ScoringService/Predict", {
      "content-type": "application/proto",
    }),
  ],
  ["message-fields", {}, post(`{${Array.from({ length: 16_400 }, (_, i) => `"c${i}":1`).join(",")}}`, 422)],
  ["list-items", {}, post(`{"features":[${"1,".repeat(20_100)}1]}`, 422)],
  ["number-digits", {}, post(`{"features":[${"1".repeat(1002)}]}`, 422)],
  ["text-characters", { maxMessageBytes: 4_000_000 }, post(`{"\\n${"a".repeat(1_100_000)}":1}`, 422)],
])("%s is counted when it is hit (%#)", async (limit, limits, drive) => {
  const { port } = await testedEdge({ limits });
  await counts({ port, url: `http://127.0.0.1:${port}` }, limit, drive);
});

test("a TLS handshake that does not go on is counted as a head's time-out", async () => {
  const read = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8");
  const tls = { cert: read("localhost-cert.pem"), key: read("localhost-key.pem") };
  const { port } = await testedEdge({ tls, limits: { headerTimeoutMs: 50 } });
  const { port: other } = await testedEdge({});
  // The count is the thread's: an edge without TLS tells it too.
  await counts({ port, url: `http://127.0.0.1:${other}` }, "header-timeout-ms", async () => {
    const raw = await rawConnection(port);
    raw.write(Buffer.from("160301020001000100", "hex"));
    await raw.closed();
  });
});

test("limits of queues, streams and of loading are counted when they are hit", async () => {
  const repository = writeAffineRepository();
  const row = new Array(16).fill(1);
  const rows = (count: number) => JSON.stringify({ features: new Array(count).fill(row) });
  for (const [limit, flags, drive] of [
    ["max-queue-rows", { "max-queue-rows": "1" }, post(rows(2), 413, "/predict/affine")],
    ["max-queue-bytes", { "max-queue-bytes": "1024" }, post(rows(100), 413, "/predict/affine")],
    [
      "control-body-bytes",
      { "model-control": "explicit", "load-model": "*" },
      post(`{"parameters":{"x":"${"a".repeat(70_000)}"}}`, 413, "/v2/repository/models/affine/load"),
    ],
    ["stream-window", { "stream-window-rows": "1" }, streamOfRows],
  ] as const) {
    const { app, url } = await startAppServer(repository.folder, { ...flags });
    try {
      await counts({ url, port: Number(new URL(url).port) }, limit, drive);
    } finally {
      await app.close();
    }
  }
  repository.remove();
});

async function streamOfRows({ url }: Target): Promise<void> {
  const item = { request: { modelName: "affine", features: new Array(16).fill(1) } };
  const items = Array.from({ length: 50 }, (_, itemId) => ({ itemId, ...item }));
  const response = await fetch(`${url}/assay.v1.ScoringService/PredictRows`, {
    method: "POST",
    headers: { "content-type": "application/connect+json" },
    body: framed(0, Buffer.from(JSON.stringify({ items }))),
  });
  await response.arrayBuffer();
  expect(response.status).toBe(200);
}

test("the page has a row for each limit in the code, and the metric a series", async () => {
  const page = readFileSync("docs/limits.md", "utf8");
  expect(
    [...page.matchAll(/^\| `([\w-]+)` \| /gm)].map(([, name]) => name).filter((name) => !/…/.test(name!)),
  ).toEqual(expect.arrayContaining([...LIMITS]));
  const table = page.slice(page.indexOf("| limit |"), page.indexOf("## What to do when a limit is hit"));
  expect([...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name)).toEqual(LIMITS);
  const { port } = await testedEdge({});
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(
    [...text.matchAll(/^assay_limit_hits_total\{limit="(.*)"\} \d+$/gm)].map(([, name]) => name),
  ).toEqual(LIMITS);
});

afterAll(() => {
  expect(LIMITS.filter((limit) => !driven.has(limit) && DRIVEN_ELSEWHERE[limit] === undefined)).toEqual([]);
});
