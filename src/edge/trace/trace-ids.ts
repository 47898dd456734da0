/**
 * Ids of traces and spans, as the hexadecimal digits that every reader of them takes. They are made many at once, each as one flat string:
 * put together digit by digit it is ten objects, which the collector moves until the spans are written.
 */
import { randomFillSync } from "node:crypto";

const MADE_TOGETHER = 64;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const WORDS = 2 ** 32;

/** Random ids of one kind. */
export class IdSupply {
  private readonly octets: Buffer;
  private readonly byteCount: number;
  private readonly settle: (octets: Buffer, at: number) => void;
  private ready: string[] = [];

  /** `byteCount`: octets of an id. `settle`: makes random octets that begin at `at` an id. */
  constructor(byteCount: number, settle: (octets: Buffer, at: number) => void) {
    this.octets = Buffer.allocUnsafeSlow(MADE_TOGETHER * byteCount);
    this.byteCount = byteCount;
    this.settle = settle;
  }

  /** The next one: no two are the same. */
  next(): string {
    return this.ready.pop() ?? this.more();
  }

  private more(): string {
    const { octets, byteCount } = this;
    randomFillSync(octets);
    const ready: string[] = [];
    for (let at = 0; at < octets.length; at += byteCount) {
      this.settle(octets, at);
      ready.push(octets.toString("hex", at, at + byteCount));
    }
    this.ready = ready;
    return ready.pop()!;
  }
}

/** Ids of traces, not all zeros, whose four words together (by exclusive or) give less than `bound`: a whole number, at least 1. */
export function traceIdsBelow(bound: number): IdSupply {
  return new IdSupply(TRACE_ID_BYTES, (octets, at) => {
    // The words of a random id are as random together as each is alone: what they give is drawn, and the last one follows.
    const together = Math.floor((octets.readUInt32BE(at + 12) / WORDS) * bound);
    const three = octets.readUInt32BE(at + 8) || 1;
    octets.writeUInt32BE(three, at + 8);
    octets.writeUInt32BE(
      (together ^ octets.readUInt32BE(at) ^ octets.readUInt32BE(at + 4) ^ three) >>> 0,
      at + 12,
    );
  });
}

/** Ids of spans: 16 digits, not all zeros, of which the last is 0, for the ids of its stages. */
export const SPAN_IDS = new IdSupply(SPAN_ID_BYTES, (octets, at) => {
  octets.writeUInt32BE(octets.readUInt32BE(at) || 1, at);
  octets[at + SPAN_ID_BYTES - 1]! &= 0xf0;
});
