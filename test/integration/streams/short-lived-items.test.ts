import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { median } from "../../../bench/statistics.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { type ChildServer, startChildServer } from "../../support/clients/child-process.ts";

const ITEMS = 1000;
const ROUNDS = 25;
/** An item's own objects take kilobytes; what the collector keeps for itself takes some bytes of each. */
const KEPT_BYTES = 300;

/** What the old objects grew by with each item, in the middle of many rounds: a full collection makes one round's negative. */
async function growth(server: ChildServer, round: () => Promise<void>): Promise<number> {
  const growths: number[] = [];
  let before = 0;
  for (let i = 0; i < ROUNDS; i++) {
    await round();
    const now = await server.oldBytes();
    growths.push((now - before) / ITEMS);
    before = now;
  }
  return median(growths.slice(10));
}

test("items of a stream that were answered are freed by a young collection", async () => {
  const server = await startChildServer({});
  try {
    const rawContents = new Uint8Array(Float32Array.of(5.1, 3.5, 1.4, 0.2).buffer);
    const inputs = [{ name: "features", datatype: "FP32", shape: [1n, 4n], rawContents }];
    const request = { modelName: "iris", inputs };
    async function* items() {
      for (let i = 0; i < ITEMS; i++) yield { itemId: BigInt(i + 1), request };
    }
    const client = createClient(ScoringService, createGrpcTransport({ baseUrl: server.url }));
    const kept = await growth(server, async () => {
      let answers = 0;
      for await (const { result } of client.predictStream(items())) {
        expect(result.case).toBe("response");
        answers++;
      }
      expect(answers).toBe(ITEMS);
    });
    expect(kept).toBeLessThan(KEPT_BYTES);
  } finally {
    await server.close();
  }
});
