import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { type ChildServer, startChildServer } from "../../support/clients/child-process.ts";

const QUEUE_ROWS = 20;
const DURATION_MS = 3_000;
const PAUSE_MS = 100;

let server: ChildServer;
beforeAll(async () => {
  server = await startChildServer({ "max-queue-rows": String(QUEUE_ROWS), "max-batch-size": "10" });
});
afterAll(() => server.close());

const features = [5.1, 3.5, 1.4, 0.2];

test("ten times more callers than the queue holds, over all protocols: each call ends once, as it should", {
  timeout: 60_000,
}, async () => {
  const baseUrl = server.url;
  const ways: Record<string, (requestId: string) => Promise<"answered" | "refused">> = {
    grpc: overRpc(createGrpcTransport({ baseUrl })),
    "grpc-web": overRpc(createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })),
    "connect-http2": overRpc(createConnectTransport({ baseUrl, httpVersion: "2" })),
    "connect-json": overRpc(createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false })),
    http: overHttp,
  };
  const pauses = setInterval(() => server.command({ kind: "pause", ms: PAUSE_MS }), PAUSE_MS * 2);
  const endAt = performance.now() + DURATION_MS;
  const counts = new Map<string, { answered: number; refused: number }>();
  const caller = async (way: string, name: string) => {
    const count = counts.get(way) ?? { answered: 0, refused: 0 };
    counts.set(way, count);
    for (let call = 0; performance.now() < endAt; call++) count[await ways[way]!(`${name}-${call}`)]++;
  };
  const names = Object.keys(ways);
  await Promise.all(
    Array.from({ length: QUEUE_ROWS * 10 }, (_, i) => caller(names[i % names.length]!, `${i}`)),
  );
  clearInterval(pauses);
  for (const [way, { answered, refused }] of counts) {
    console.log(`${way}: ${answered} answered, ${refused} refused`);
    expect(answered).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  }
  expect(await ways.grpc!("last")).toBe("answered");
});

function overRpc(transport: Transport) {
  const client = createClient(ScoringService, transport);
  return async (requestId: string) => {
    try {
      const response = await client.predict({ modelName: "iris", features, requestId });
      expect(response).toMatchObject({ requestId, labels: ["setosa"] });
      return "answered";
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      expect([error.code, error.rawMessage]).toEqual([Code.ResourceExhausted, expect.any(String)]);
      expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("QUEUE_FULL");
      expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay).toBeDefined();
      return "refused";
    }
  };
}

async function overHttp(requestId: string) {
  const body = JSON.stringify({ features, request_id: requestId });
  const response = await fetch(`${server.url}/predict/iris`, { method: "POST", body });
  const text = await response.text();
  if (response.status === 200) {
    expect(JSON.parse(text)).toMatchObject({ request_id: requestId, labels: ["setosa"] });
    return "answered";
  }
  expect([response.status, text]).toEqual([429, expect.stringContaining("QUEUE_FULL")]);
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  return "refused";
}
