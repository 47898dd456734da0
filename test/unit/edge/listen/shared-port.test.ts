import { expect, test } from "vitest";
import { SharedConnectionCounts, sharedPortMemory } from "../../../../src/edge/listen/shared-port.ts";

test("listeners of one port count their connections together, of all peers and of each", () => {
  const memory = sharedPortMemory(2);
  const [first, second] = [0, 1].map(
    (place) => new SharedConnectionCounts({ memory, listenerCount: 2, place }),
  );
  first!.add("192.0.2.1");
  second!.add("192.0.2.1");
  second!.add("192.0.2.2");
  for (const counts of [first!, second!]) {
    expect(counts.total).toBe(3);
    expect(["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((peer) => counts.ofPeer(peer))).toEqual([2, 1, 0]);
  }
  second!.remove("192.0.2.2");
  expect(first!.total).toBe(2);
});

test("a listener that begins anew has no connections, and leaves those of the others", () => {
  const memory = sharedPortMemory(2);
  const first = new SharedConnectionCounts({ memory, listenerCount: 2, place: 0 });
  first.add("192.0.2.1");
  new SharedConnectionCounts({ memory, listenerCount: 2, place: 1 }).add("192.0.2.1");
  const again = new SharedConnectionCounts({ memory, listenerCount: 2, place: 1 });
  expect([again.total, first.ofPeer("192.0.2.1")]).toEqual([1, 1]);
});

test("which peers share a counter is another matter in each server: nobody can choose an address that counts with another's", () => {
  const peers = Array.from({ length: 20_000 }, (_, peer) => `10.0.${peer >> 8}.${peer & 255}`);
  const shared = [0, 1].map(() => {
    const counts = new SharedConnectionCounts({ memory: sharedPortMemory(1), listenerCount: 1, place: 0 });
    counts.add("192.0.2.1");
    return peers.filter((peer) => counts.ofPeer(peer) > 0);
  });
  expect(shared[0]!.length).toBeLessThan(20);
  expect(shared[0]!.filter((peer) => shared[1]!.includes(peer)).length).toBeLessThan(3);
});
