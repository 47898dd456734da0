/** Groups of an IPv6 address that one household, host or customer is given: a /64. */
const IPV6_GROUPS = 4;
/** Below so many connections a tenth is none, and one is left to others. */
const FEW = 4;

/** The number of connections that one address may have; `limit` 0: nine tenths of `maxConnections`, which leaves others at least one of four. */
export function connectionsPerPeer(limit: number, maxConnections: number): number {
  if (limit > 0) return limit;
  if (maxConnections < FEW) return maxConnections;
  return maxConnections - Math.max(1, Math.floor(maxConnections / 10));
}

/** The part of a remote address that stands for one peer: an IPv4 address, or the /64 of an IPv6 address. */
export function peerOf(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return "";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remoteAddress);
  if (mapped !== null) return mapped[1]!;
  if (!remoteAddress.includes(":")) return remoteAddress;
  const [head = "", tail] = remoteAddress.toLowerCase().split("%")[0]!.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? 0 : tail.split(":").length;
    while (groups.length + after < 8 && groups.length < IPV6_GROUPS) groups.push("0");
    groups.push(...(tail === "" ? [] : tail.split(":")));
  }
  return groups.slice(0, IPV6_GROUPS).join(":");
}

/** Counts connections, and those of each peer. */
export interface ConnectionCounts {
  /** Of all peers. */
  readonly total: number;
  add(peer: string): void;
  remove(peer: string): void;
  ofPeer(peer: string): number;
}

/** Counts the connections of one listener. */
export class Peers implements ConnectionCounts {
  total = 0;
  private readonly counts = new Map<string, number>();

  add(peer: string): void {
    this.total++;
    this.counts.set(peer, this.ofPeer(peer) + 1);
  }

  remove(peer: string): void {
    this.total--;
    const count = this.ofPeer(peer) - 1;
    if (count > 0) this.counts.set(peer, count);
    else this.counts.delete(peer);
  }

  ofPeer(peer: string): number {
    return this.counts.get(peer) ?? 0;
  }
}
