import { once } from "node:events";
import { connect } from "node:http2";
import { Code, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { beforeEach, describe, expect, test } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { rawConnection } from "../../support/clients/raw-connection.ts";
import type { FakeScoring } from "../../support/servers/fake-services.ts";
import { testedEdge } from "../../support/servers/tested-servers.ts";

type Engine = "assay" | "node";
type Make = (baseUrl: string) => Transport;

const WAYS: [string, Engine, Make][] = [
  ["gRPC over assay", "assay", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC over node:http2", "node", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web over HTTP/1.1", "assay", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
  ["Connect over HTTP/1.1", "assay", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
  ["Connect over HTTP/2", "assay", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" })],
];

describe.each(WAYS)("%s", (_, http2Engine, make) => {
  let scoring: FakeScoring;
  let transport: Transport;
  beforeEach(async () => {
    const started = await testedEdge({ http2Engine });
    ({ scoring } = started);
    transport = make(`http://127.0.0.1:${started.port}`);
  });

  test("the caller's timeout becomes the call's deadline, and is answered at it", async () => {
    const client = createClient(ScoringService, transport);
    const startedAt = performance.now();
    const came = scoring.hangs();
    const call = client.predict({ modelName: "hang", features: [1] }, { timeoutMs: 400 });
    await expect(call).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    await came;
    const { deadlineAt, lane, protocol } = scoring.calls[0]!;
    expect(deadlineAt - startedAt).toBeGreaterThan(300);
    expect(deadlineAt - startedAt).toBeLessThan(1500);
    expect(lane).toBe("interactive");
    expect(["grpc", "grpc-web", "connect"]).toContain(protocol);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test("a caller that cancels reaches the call", async () => {
    const client = createClient(ScoringService, transport);
    const abort = new AbortController();
    const came = scoring.hangs();
    const cancelled = scoring.cancels();
    const call = client.predict({ modelName: "hang", features: [1] }, { signal: abort.signal });
    await came;
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: Code.Canceled });
    await cancelled;
    expect(scoring.calls[0]!.cancelled).toBe(true);
    expect(scoring.hanging.size).toBe(0);
  });
});

describe("plain HTTP", () => {
  test("a caller that closes its connection reaches the call", async () => {
    const { port, scoring } = await testedEdge();
    const came = scoring.hangs();
    const cancelled = scoring.cancels();
    const raw = await rawConnection(port);
    const body = '{"features":[1]}';
    raw.write(`POST /predict/hang HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await came;
    raw.socket.destroy();
    await cancelled;
    expect(scoring.calls[0]!.protocol).toBe("http");
  });

  test("a caller that loses its HTTP/2 connection reaches every call on it", async () => {
    const { port, scoring } = await testedEdge();
    const session = connect(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    const came = scoring.hangs(3);
    for (let i = 0; i < 3; i++) {
      const stream = session.request({ ":method": "POST", ":path": "/predict/hang" });
      stream.on("error", () => {});
      stream.end('{"features":[1]}');
    }
    await came;
    const cancelled = scoring.cancels(3);
    session.socket.destroy();
    await once(session, "close");
    await cancelled;
    expect(scoring.hanging.size).toBe(0);
  });
});
