import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { median } from "../../../bench/statistics.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { HAND_READ_CALLS } from "../../support/calls/hand-read-calls.ts";
import { type ChildServer, startChildServer } from "../../support/clients/child-process.ts";
import { UnaryPeer } from "../../support/clients/unary-exchange.ts";

const ITEMS = 600;
const ROUNDS = 12;
/** An item's own objects take kilobytes; what the collector keeps for itself takes some bytes of each. */
const KEPT_BYTES = 300;

let server: ChildServer;
beforeAll(async () => {
  server = await startChildServer({});
});
afterAll(() => server.close());

/** What the old objects grew by with each item, in the middle of many rounds: a full collection makes one round's negative. */
async function growth(round: () => Promise<void>): Promise<number> {
  const growths: number[] = [];
  let before = 0;
  for (let i = 0; i < ROUNDS; i++) {
    await round();
    const now = await server.oldBytes();
    growths.push((now - before) / ITEMS);
    before = now;
  }
  return median(growths.slice(6));
}

/** Calls at a time. */
const LANES = 8;

/** Sends `ITEMS` calls, each peer one at a time. */
async function calls(peers: readonly UnaryPeer[], one: (peer: UnaryPeer) => Promise<unknown>): Promise<void> {
  let left = ITEMS;
  const lane = async (peer: UnaryPeer) => {
    while (left-- > 0) await one(peer);
  };
  await Promise.all(peers.map(lane));
}

test.each(HAND_READ_CALLS)(
  "calls that were answered are freed by a young collection: %s",
  async (_name, script) => {
    const port = Number(new URL(server.url).port);
    const peers = Array.from({ length: LANES }, () => new UnaryPeer(port));
    try {
      const kept = await growth(() =>
        calls(peers, async (peer) => {
          const { status, trailers } = await peer.exchange(script);
          expect([status, trailers["grpc-status"] ?? "0"]).toEqual([200, "0"]);
        }),
      );

      expect(kept).toBeLessThan(KEPT_BYTES);
    } finally {
      for (const peer of peers) peer.close();
    }
  },
);

test("items of a stream that were answered are freed by a young collection", async () => {
  const rawContents = new Uint8Array(Float32Array.of(5.1, 3.5, 1.4, 0.2).buffer);
  const inputs = [{ name: "features", datatype: "FP32", shape: [1n, 4n], rawContents }];
  const request = { modelName: "iris", inputs };
  async function* items() {
    for (let i = 0; i < ITEMS; i++) yield { itemId: BigInt(i + 1), request };
  }
  const client = createClient(ScoringService, createGrpcTransport({ baseUrl: server.url }));
  const kept = await growth(async () => {
    let answers = 0;
    for await (const { result } of client.predictStream(items())) {
      expect(result.case).toBe("response");
      answers++;
    }
    expect(answers).toBe(ITEMS);
  });
  expect(kept).toBeLessThan(KEPT_BYTES);
});
