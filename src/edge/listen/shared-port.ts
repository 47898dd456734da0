import { createHash, randomBytes } from "node:crypto";
import type { ConnectionCounts } from "./peers.ts";

/** A port that several listeners own together, each in a thread of its own; its memory is `sharedPortMemory`'s. */
export interface SharedPort {
  readonly memory: SharedArrayBuffer;
  readonly listenerCount: number;
  /** From 0: the first one looks whether the port is free. */
  readonly place: number;
}

/** Counters of peers: so many that two peers seldom share one, which then count as one. */
const PEER_COUNTERS = 16_384;
const ROW_WORDS = 1 + PEER_COUNTERS;
const SEED_BYTES = 16;

/** Makes the memory in which so many listeners count their connections. */
export function sharedPortMemory(listenerCount: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(SEED_BYTES + listenerCount * ROW_WORDS * 4);
  // So that nobody can choose an address that counts with another's.
  new Uint8Array(memory, 0, SEED_BYTES).set(randomBytes(SEED_BYTES));
  return memory;
}

/** Counts the connections of all listeners of a port; this one's begin with none. Each writes its own counters alone. */
export class SharedConnectionCounts implements ConnectionCounts {
  private readonly words: Int32Array;
  private readonly seed: Uint8Array;
  private readonly own: number;

  constructor({ memory, place }: SharedPort) {
    this.words = new Int32Array(memory, SEED_BYTES);
    this.seed = new Uint8Array(memory, 0, SEED_BYTES).slice();
    this.own = place * ROW_WORDS;
    this.words.fill(0, this.own, this.own + ROW_WORDS);
  }

  get total(): number {
    return this.sum(0);
  }

  add(peer: string): void {
    this.count(peer, 1);
  }

  remove(peer: string): void {
    this.count(peer, -1);
  }

  ofPeer(peer: string): number {
    return this.sum(this.counterOf(peer));
  }

  private count(peer: string, change: number): void {
    Atomics.add(this.words, this.own, change);
    Atomics.add(this.words, this.own + this.counterOf(peer), change);
  }

  private sum(counter: number): number {
    let sum = 0;
    for (let at = counter; at < this.words.length; at += ROW_WORDS) sum += Atomics.load(this.words, at);
    return sum;
  }

  private counterOf(peer: string): number {
    const digest = createHash("sha1").update(this.seed).update(peer).digest();
    return 1 + (digest.readUInt32LE(0) % PEER_COUNTERS);
  }
}
