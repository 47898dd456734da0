import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ChildServer, startChildServer } from "../../support/clients/child-process.ts";
import {
  type OverloadWay,
  overHttp,
  overInferGrpc,
  overInferRest,
  overRpc,
} from "../../support/load/overload-ways.ts";

const QUEUE_ROWS = 20;
const DURATION_MS = 3_000;
/** On a busy machine it takes longer until each way had both answers. */
const MOST_MS = 30_000;
const PAUSE_MS = 100;

let server: ChildServer;
beforeAll(async () => {
  server = await startChildServer({ "max-queue-rows": String(QUEUE_ROWS), "max-batch-size": "10" });
});
afterAll(() => server.close());

type Ways = Readonly<Record<string, OverloadWay>>;

const native = (baseUrl: string): Ways => ({
  grpc: overRpc(createGrpcTransport({ baseUrl })),
  "grpc-web": overRpc(createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })),
  "connect-http2": overRpc(createConnectTransport({ baseUrl, httpVersion: "2" })),
  "connect-json": overRpc(createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false })),
  http: overHttp(baseUrl),
});
const inference = (baseUrl: string): Ways => ({
  "infer-rest": overInferRest(baseUrl),
  "infer-grpc": overInferGrpc(createGrpcTransport({ baseUrl })),
});

test.each([
  ["all protocols", native],
  ["Open Inference", inference],
])(
  "ten times more callers than the queue holds, over %s: each call ends once, as it should",
  {
    timeout: 60_000,
  },
  async (_, waysTo) => {
    const ways = waysTo(server.url);
    const pauses = setInterval(() => server.command({ kind: "pause", ms: PAUSE_MS }), PAUSE_MS * 2);
    const beganAt = performance.now();
    const counts = new Map<string, { answered: number; refused: number }>();
    const goesOn = (): boolean => {
      const ms = performance.now() - beganAt;
      if (ms < DURATION_MS) return true;
      return ms < MOST_MS && [...counts.values()].some(({ answered, refused }) => answered * refused === 0);
    };
    const caller = async (way: string, name: string) => {
      const count = counts.get(way) ?? { answered: 0, refused: 0 };
      counts.set(way, count);
      for (let call = 0; goesOn(); call++) count[await ways[way]!(`${name}-${call}`)]++;
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
    expect(await ways[names[0]!]!("last")).toBe("answered");
  },
);
