import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ChildServer, startChildServer } from "../../support/clients/child-process.ts";
import { overHttp, overRpc } from "../../support/load/overload-ways.ts";

const QUEUE_ROWS = 64;
let server: ChildServer;
beforeAll(async () => {
  server = await startChildServer({ "max-queue-rows": String(QUEUE_ROWS), "max-batch-size": "16" });
});
afterAll(() => server.close());

/** Ten times more calls than the queue holds, half over gRPC and half over plain HTTP, while the worker pauses. */
async function flood(): Promise<{ answered: number; refused: number }> {
  const ways = [overRpc(createGrpcTransport({ baseUrl: server.url })), overHttp(server.url)];
  server.command({ kind: "pause", ms: 500 });
  const calls = Array.from({ length: QUEUE_ROWS * 5 }, (_, i) => ways.map((way) => way(`r${i}`)));
  const outcomes = await Promise.all(calls.flat());
  const answered = outcomes.filter((outcome) => outcome === "answered").length;
  return { answered, refused: outcomes.length - answered };
}

/** As many calls as eight floods, but no more at a time than the queue holds: the heap grows to what such traffic needs. */
async function warmUp(): Promise<void> {
  const ways = [overRpc(createGrpcTransport({ baseUrl: server.url })), overHttp(server.url)];
  const callers = Array.from({ length: QUEUE_ROWS / 2 }, async () => {
    for (let call = 0; call < 80; call++) for (const way of ways) await way("warm");
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
