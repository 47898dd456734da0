import { afterAll, beforeAll, expect, test } from "vitest";
import { HAND_READ_CALLS } from "../../support/calls/hand-read-calls.ts";
import { type ChildServer, startChildServer } from "../../support/clients/child-process.ts";
import { UnaryPeer } from "../../support/clients/unary-exchange.ts";

const CALLS = 25_000;
const LANES = 16;
/** What a heap of some 20 MB may be larger by. */
const MOST_GROWTH = 1.1;

let server: ChildServer;
beforeAll(async () => {
  server = await startChildServer({});
});
afterAll(() => server.close());

test.each(HAND_READ_CALLS)(
  "25,000 calls more leave the heap as 25,000 calls did: %s",
  async (_name, script) => {
    const port = Number(new URL(server.url).port);
    const peers = Array.from({ length: LANES }, () => new UnaryPeer(port));
    const round = async () => {
      let left = CALLS;
      const lane = async (peer: UnaryPeer) => {
        while (left-- > 0) {
          const { status } = await peer.exchange(script);
          // An assertion each would take longer than the calls.
          if (status !== 200) throw new Error(`a call was answered with ${status}`);
        }
      };
      await Promise.all(peers.map(lane));
      return server.heapBytes();
    };
    try {
      const before = await round();
      expect((await round()) / before).toBeLessThan(MOST_GROWTH);
    } finally {
      for (const peer of peers) peer.close();
    }
  },
  120_000,
);
