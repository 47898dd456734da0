import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { median } from "../../../bench/statistics.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { HAND_READ_CALLS } from "../../support/calls/hand-read-calls.ts";
import { type ChildServer, startChildServer } from "../../support/clients/child-process.ts";
import { UnaryPeer, type UnaryScript } from "../../support/clients/unary-exchange.ts";

const ITEMS = 600;
const ROUNDS = 12;
/** An item's own objects take kilobytes; what the collector keeps for itself takes some bytes of each. */
const KEPT_BYTES = 300;

/**
 * Room for all young objects of a round. Where V8 keeps it small (at 1 MB all of these tests fail) it collects in the
 * midst of calls, and what is in flight twice becomes old, though nothing keeps it.
 */
const NODE_FLAGS = ["--min-semi-space-size=16", "--max-semi-space-size=16"];

let server: ChildServer;
beforeAll(async () => {
  server = await startChildServer({ "inline-runs": "off" }, NODE_FLAGS);
});
afterAll(() => server.close());

/**
 * What the old objects grew by with each item, in the middle of many rounds: a full collection makes one round's negative. In the midst of
 * each round before them `collect` is to be called: a whole collection makes old what is there just then, which must keep nothing that
 * comes after it.
 */
async function growth(round: (collect: () => Promise<unknown>) => Promise<void>): Promise<number> {
  const growths: number[] = [];
  let before = 0;
  for (let i = 0; i < ROUNDS; i++) {
    await round(i < ROUNDS / 2 ? () => server.heapBytes() : async () => {});
    const now = await server.oldBytes();
    growths.push((now - before) / ITEMS);
    before = now;
  }
  return median(growths.slice(ROUNDS / 2));
}

const PEERS = 8;
/** Calls of a peer at a time: over HTTP/2 on its one connection. */
const LANES = 16;

/** Sends `ITEMS` calls. */
async function calls(
  peers: readonly UnaryPeer[],
  collect: () => Promise<unknown>,
  one: (peer: UnaryPeer) => Promise<unknown>,
): Promise<void> {
  let left = ITEMS;
  const lane = async (peer: UnaryPeer) => {
    while (left-- > 0) await (left === ITEMS / 2 ? Promise.all([one(peer), collect()]) : one(peer));
  };
  await Promise.all(peers.flatMap((peer) => Array.from({ length: LANES }, () => lane(peer))));
}

const [, PREDICT] = HAND_READ_CALLS.find(([name]) => name === "/predict")!;
/** What `node:http` reads. */
const IN_CHUNKS: [name: string, script: UnaryScript] = [
  "/predict in chunks",
  { ...PREDICT, headers: { "content-type": "application/json" } },
];

test.each([...HAND_READ_CALLS, IN_CHUNKS])(
  "calls that were answered are freed by a young collection: %s",
  async (_name, script) => {
    const port = Number(new URL(server.url).port);
    const peers = Array.from({ length: PEERS }, () => new UnaryPeer(port));
    try {
      const kept = await growth((collect) =>
        calls(peers, collect, async (peer) => {
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
  const kept = await growth(async (collect) => {
    let answers = 0;
    for await (const { result } of client.predictStream(items())) {
      expect(result.case).toBe("response");
      if (++answers === ITEMS / 2) await collect();
    }
    expect(answers).toBe(ITEMS);
  });
  expect(kept).toBeLessThan(KEPT_BYTES);
});
