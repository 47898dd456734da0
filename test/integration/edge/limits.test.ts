import { connect } from "node:http2";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { EdgeLimits } from "../../../src/edge/call/limits.ts";
import { rawConnection } from "../../support/clients/raw-connection.ts";
import { testedEdge } from "../../support/servers/tested-servers.ts";

let port: number;
async function start(
  limits: Partial<EdgeLimits>,
  http2Engine: "assay" | "node" = "assay",
  http1Requests: "assay" | "node" = "assay",
) {
  const started = await testedEdge({ limits, http2Engine, http1Requests });
  ({ port } = started);
  return started;
}

const READERS = ["assay", "node"] as const;
const request = (path: string, more = "") => `POST ${path} HTTP/1.1\r\nhost: a\r\n${more}`;

describe("message", () => {
  test.each(READERS)(
    "a body that announces too much is refused by name, 413, before it comes, read by %s",
    async (reader) => {
      await start({ maxMessageBytes: 1024 }, "assay", reader);
      const raw = await rawConnection(port);
      raw.write(request("/predict", "content-length: 1025\r\n\r\n"));
      const text = await raw.until((text) => text.includes("max-message-bytes"));
      expect(text).toMatch(/^HTTP\/1\.1 413 /);
      raw.socket.destroy();
    },
  );

  test("a gzip bomb is refused by name", async () => {
    await start({ maxMessageBytes: 100_000 });
    const response = await fetch(`http://127.0.0.1:${port}/predict`, {
      method: "POST",
      headers: { "content-encoding": "gzip" },
      body: gzipSync(Buffer.alloc(10_000_000)),
    });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain("100000 bytes (max-message-bytes)");
  });

  test.each(["assay", "node"] as const)("a gRPC message is refused by name over %s", async (http2Engine) => {
    await start({ maxMessageBytes: 1024 }, http2Engine);
    const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` });
    const client = createClient(ScoringService, transport);
    const refusal = client.predict({ features: new Array(1000).fill(1) });
    await expect(refusal).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: expect.stringContaining("larger than 1024 bytes (max-message-bytes)"),
    });
    await expect(client.predict({ features: [1] })).resolves.toMatchObject({ scores: [1] });
  });
});

describe("header list", () => {
  test.each([
    ["assay", "GET /livez HTTP/1.1\r\nhost: a\r\n"],
    ["assay", request("/predict", "content-length: 0\r\n")],
    ["node", request("/predict", "content-length: 0\r\n")],
  ] as const)("HTTP/1.1 is answered 431 with the limit's name, read by %s: %j", async (reader, head) => {
    await start({ maxHeaderListBytes: 2048 }, "assay", reader);
    const raw = await rawConnection(port);
    raw.write(`${head}x: ${"a".repeat(4000)}\r\n\r\n`);
    expect((await raw.closed()).toString()).toMatch(
      /^HTTP\/1\.1 431 [\s\S]*2048 bytes \(max-header-list-bytes\)/,
    );
  });

  test("HTTP/2 is answered 431 with the limit's name", async () => {
    await start({ maxHeaderListBytes: 2048 });
    const session = connect(`http://127.0.0.1:${port}`);
    const stream = session.request({ ":path": "/livez", x: "a".repeat(4000) });
    const status = await new Promise((resolve) => {
      stream.once("response", (headers) => resolve(headers[":status"]));
    });
    expect(status).toBe(431);
    expect(await text(stream)).toContain("2048 bytes (max-header-list-bytes)");
    await new Promise<void>((resolve) => session.close(resolve));
  });
});

describe("streams", () => {
  test.each(["assay", "node"] as const)(
    "the limit of %s holds a third call back until one ends",
    async (engine) => {
      const { scoring } = await start({ maxConcurrentStreams: 2 }, engine);
      const session = connect(`http://127.0.0.1:${port}`);
      const remote = new Promise<{ maxConcurrentStreams?: number }>((resolve) => {
        session.once("remoteSettings", resolve);
      });
      expect((await remote).maxConcurrentStreams).toBe(2);
      const hang = () => {
        const stream = session.request({ ":method": "POST", ":path": "/predict/hang" });
        stream.resume();
        stream.end('{"features":[1]}');
        return new Promise<void>((resolve) => stream.once("close", () => resolve()));
      };
      const two = scoring.hangs(2);
      const calls = [hang(), hang(), hang()];
      await two;
      await new Promise((resolve) => session.ping(resolve));
      expect(scoring.calls.length).toBe(2);
      const three = scoring.hangs();
      scoring.release();
      await three;
      scoring.release();
      await Promise.all(calls);
      await new Promise<void>((resolve) => session.close(resolve));
    },
  );
});

describe("connections", () => {
  test("one too many is told the limit's name in its own HTTP version, and one that goes makes room", async () => {
    await start({ maxConnections: 1 });
    const first = await rawConnection(port);
    first.write("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n");
    await first.until((text) => text.includes('"live"'));
    const second = await rawConnection(port);
    second.write("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n");
    expect((await second.closed()).toString()).toMatch(/^HTTP\/1\.1 503 [\s\S]*\(max-connections\)/);
    const third = await rawConnection(port);
    third.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const goAway = (await third.closed()).toString("latin1");
    expect(goAway).toContain("\0\0\0\x0b");
    expect(goAway).toMatch(/\(max-connections\)$/);
    first.socket.destroy();
    await first.closed();
    const fourth = await rawConnection(port);
    fourth.write("GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect((await fourth.closed()).toString()).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("time", () => {
  test.each([
    ["assay", "GET /livez HTTP/1.1\r\nhost: a\r\n"],
    ["assay", request("/predict")],
    ["node", request("/predict")],
  ] as const)(
    "a header block that comes too slowly is answered 408 with the limit's name, read by %s: %j",
    async (reader, head) => {
      await start({ headerTimeoutMs: 300 }, "assay", reader);
      const raw = await rawConnection(port);
      raw.write(head);
      expect((await raw.closed()).toString()).toMatch(/^HTTP\/1\.1 408 [\s\S]*300 ms \(header-timeout-ms\)/);
    },
  );

  test.each(READERS)(
    "a body that comes too slowly is refused by name, in plain HTTP and in Connect, read by %s",
    async (reader) => {
      await start({ bodyTimeoutMs: 200 }, "assay", reader);
      for (const path of ["/predict", "/assay.v1.ScoringService/Predict"]) {
        const raw = await rawConnection(port);
        raw.write(request(path, 'content-type: application/json\r\ncontent-length: 50\r\n\r\n{"feat'));
        const text = await raw.until((text) => text.includes("body-timeout-ms"));
        expect(text).toMatch(/^HTTP\/1\.1 504 /);
        raw.socket.destroy();
      }
    },
  );

  test("a call that takes too long is answered DEADLINE_EXCEEDED by the server's limit", async () => {
    const { scoring } = await start({ callTimeoutMs: 150 });
    const response = await fetch(`http://127.0.0.1:${port}/predict/hang`, {
      method: "POST",
      body: '{"features":[1]}',
    });
    expect(response.status).toBe(504);
    expect(await response.json()).toEqual({
      detail: "no answer within 150 ms (call-timeout-ms)",
      reason: "DEADLINE_EXCEEDED",
    });
    expect(scoring.hanging.size).toBe(0);
  });

  test.each(READERS)("an idle HTTP/1.1 connection is closed, read by %s", async (reader) => {
    await start({ idleTimeoutMs: 200 }, "assay", reader);
    const raw = await rawConnection(port);
    raw.write(request("/predict", 'content-length: 16\r\n\r\n{"features":[1]}'));
    expect((await raw.closed()).toString()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test.each(["assay", "node"] as const)("an idle HTTP/2 connection is closed by %s", async (http2Engine) => {
    await start({ idleTimeoutMs: 300 }, http2Engine);
    const session = connect(`http://127.0.0.1:${port}`);
    const stream = session.request({ ":path": "/livez" });
    stream.resume();
    await new Promise<void>((resolve) => session.once("close", () => resolve()));
    expect(session.destroyed).toBe(true);
  });
});
