import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { type ChildServer, startChildServer } from "../../support/clients/child-process.ts";

const QUEUE_ROWS = 64;
let server: ChildServer;
beforeAll(async () => {
  server = await startChildServer({ "max-queue-rows": String(QUEUE_ROWS), "max-batch-size": "16" });
});
afterAll(() => server.close());

const features = [5.1, 3.5, 1.4, 0.2];

/** Ten times more calls than the queue holds, half over gRPC and half over plain HTTP, while the worker pauses. */
async function flood(): Promise<{ answered: number; refused: number }> {
  const client = createClient(ScoringService, createGrpcTransport({ baseUrl: server.url }));
  let answered = 0;
  let refused = 0;
  server.command({ kind: "pause", ms: 500 });
  const overGrpc = async (requestId: string) => {
    try {
      expect((await client.predict({ modelName: "iris", features, requestId })).requestId).toBe(requestId);
      answered++;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      expect(error.code).toBe(Code.ResourceExhausted);
      expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("QUEUE_FULL");
      expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay).toBeDefined();
      refused++;
    }
  };
  const overHttp = async () => {
    const body = JSON.stringify({ features });
    const response = await fetch(`${server.url}/predict/iris`, { method: "POST", body });
    const text = await response.text();
    if (response.status === 200) {
      expect(JSON.parse(text)).toMatchObject({ labels: ["setosa"] });
      answered++;
    } else {
      expect([response.status, text]).toEqual([429, expect.stringContaining("QUEUE_FULL")]);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      refused++;
    }
  };
  await Promise.all(
    Array.from({ length: QUEUE_ROWS * 5 }, (_, i) => Promise.all([overGrpc(`r${i}`), overHttp()])),
  );
  return { answered, refused };
}

/** As many calls as eight floods, but no more at a time than the queue holds: the heap grows to what such traffic needs. */
async function warmUp(): Promise<void> {
  const client = createClient(ScoringService, createGrpcTransport({ baseUrl: server.url }));
  const callers = Array.from({ length: QUEUE_ROWS / 2 }, async () => {
    for (let call = 0; call < 80; call++) {
      await client.predict({ modelName: "iris", features });
      const body = JSON.stringify({ features });
      await (await fetch(`${server.url}/predict/iris`, { method: "POST", body })).text();
    }
  });
  await Promise.all(callers);
}

test("a queue filled tenfold refuses what it cannot hold, loses nothing and keeps its memory", async () => {
  await warmUp();
  const before = await server.residentBytes();
  const first = await flood();
  expect(first.answered + first.refused).toBe(QUEUE_ROWS * 10);
  expect(first.refused).toBeGreaterThan(QUEUE_ROWS);
  expect(first.answered).toBeGreaterThanOrEqual(QUEUE_ROWS);
  for (let round = 0; round < 4; round++) {
    const { answered, refused } = await flood();
    expect(answered + refused).toBe(QUEUE_ROWS * 10);
  }
  const after = await server.residentBytes();
  console.log(
    `resident memory ${Math.round(before / 2 ** 20)} MiB before, ${Math.round(after / 2 ** 20)} after`,
  );
  expect(after).toBeLessThanOrEqual(before * 1.2);
});
