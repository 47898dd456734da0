import { ENHANCE_YOUR_CALM } from "../frame/error-code.ts";

const REASON = "too many octets of answers are not read, here the most of all connections";
// How much may be queued, in parts of the limit, before all connections are counted again.
const PART = 8;

/** What it asks of a connection. */
export interface AnswerHolder {
  /** Octets of answers that wait for the peer's windows. */
  readonly unsentBytes: number;
  readonly output: { readonly waitingBytes: number };
  readonly socket: { destroy(): void };
  fail(code: number, reason: string): void;
}

/**
 * Octets of answers that no peer has taken, over all connections. Past the limit the connection that holds the most ends, and
 * the next, until the rest is within it: who reads keeps little here, however many who do not.
 */
export class UnreadAnswers {
  private readonly connections: Iterable<AnswerHolder>;
  private readonly maxBytes: number;
  private addedBytes = 0;
  private isScheduled = false;

  constructor(connections: Iterable<AnswerHolder>, maxBytes: number) {
    this.connections = connections;
    this.maxBytes = maxBytes;
  }

  /** What waits now: for windows, and for sockets. */
  get bytes(): number {
    let sum = 0;
    for (const connection of this.connections) sum += bytesOf(connection);
    return sum;
  }

  /** More was queued. A handler may be writing just now, so what follows comes after it. */
  added(byteCount: number): void {
    this.addedBytes += byteCount;
    if (this.addedBytes * PART < this.maxBytes || this.isScheduled) return;
    this.isScheduled = true;
    process.nextTick(() => {
      this.isScheduled = false;
      this.check();
    });
  }

  /** Counts, and ends connections until the rest is within the limit. */
  check(): void {
    this.addedBytes = 0;
    let sum = this.bytes;
    if (sum <= this.maxBytes) return;
    const holders = [...this.connections].filter((connection) => bytesOf(connection) > 0);
    holders.sort((a, b) => bytesOf(b) - bytesOf(a));
    // One alone may be slow with an answer that is larger than the limit.
    for (const connection of holders.slice(0, -1)) {
      if (sum <= this.maxBytes) return;
      sum -= bytesOf(connection);
      connection.fail(ENHANCE_YOUR_CALM, REASON);
      connection.socket.destroy();
    }
  }
}

function bytesOf(connection: AnswerHolder): number {
  return connection.unsentBytes + connection.output.waitingBytes;
}
