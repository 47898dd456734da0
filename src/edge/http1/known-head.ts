import { type HeadRules, type HeadVerdict, type PlainHead, readPlainHead } from "./plain-head.ts";

/** A longer head is read anew each time. */
const MAX_KEPT_BYTES = 2048;
/** After so many heads in a row that were all different, none is kept any more. */
const MAX_MISSES = 8;

/** The heads of one connection: clients send the same octets again and again, and those are compared instead of read. */
export class KnownHead {
  private readonly rules: HeadRules;
  private octets: Buffer | undefined = undefined;
  private head: PlainHead | undefined = undefined;
  private misses = 0;

  constructor(rules: HeadRules) {
    this.rules = rules;
  }

  /** The verdict on the head that begins at `start`. */
  read(bytes: Buffer, start: number): HeadVerdict {
    const { octets } = this;
    if (octets !== undefined) {
      const end = start + octets.length;
      // A head ends with its only empty line: what begins with all of it is the same head.
      if (end <= bytes.length && octets.compare(bytes, start, end) === 0) {
        this.misses = 0;
        return this.head!;
      }
    }
    const verdict = readPlainHead(bytes, start, this.rules);
    if (typeof verdict !== "string") this.keep(verdict, bytes, start);
    return verdict;
  }

  private keep(head: PlainHead, bytes: Buffer, start: number): void {
    if (this.misses === MAX_MISSES || head.byteCount > MAX_KEPT_BYTES) return;
    this.misses++;
    this.head = head;
    this.octets = Buffer.from(bytes.subarray(start, start + head.byteCount));
  }
}
