import { expect, test } from "vitest";
import { connectionsPerPeer, Peers, peerOf } from "../../../../src/edge/listen/peers.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::6", "2001:db8:1:2"],
  ["2001:DB8::6", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
  ["1:2:3::", "1:2:3:0"],
  [undefined, ""],
])("the peer of %s is %s", (address, peer) => expect(peerOf(address)).toBe(peer));

test.each([
  [0, 10_000, 9_000],
  [0, 100, 90],
  [0, 8, 7],
  [0, 4, 3],
  [0, 3, 3],
  [0, 1, 1],
  [5, 10_000, 5],
  [10_000, 10_000, 10_000],
])("a limit of %i under %i connections lets a peer have %i", (limit, all, most) => {
  expect(connectionsPerPeer(limit, all)).toBe(most);
});

test("peers are counted as they come and go", () => {
  const peers = new Peers();
  for (const peer of ["a", "a", "b"]) peers.add(peer);
  expect([peers.ofPeer("a"), peers.ofPeer("b")]).toEqual([2, 1]);
  peers.remove("a");
  expect([peers.ofPeer("a"), peers.ofPeer("b"), peers.ofPeer("c")]).toEqual([1, 1, 0]);
  peers.remove("a");
  expect(peers.ofPeer("a")).toBe(0);
});
