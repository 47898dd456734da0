import type { OwnedStream } from "./stream-owner.ts";
import { HALF_CLOSED_LOCAL } from "./stream-state.ts";

interface Answered {
  readonly stream: OwnedStream;
  /** When it was first looked at, and what of its body had come when it was last; undefined before. */
  sinceMs: number | undefined;
  bodyBytes: number;
}

/**
 * The streams of one connection whose answer is complete while their request is not (RFC 9113 section 8.1). Their bodies are read into
 * nothing for a while before RST_STREAM stops the peer: a client that reads only once it has sent, or that holds too much unsent to
 * take an answer, would lose the answer to a reset, and some then wait for ever.
 */
export class AnsweredEarly {
  private answered: Answered[] = [];

  /** Its answer is complete. */
  add(stream: OwnedStream): void {
    this.answered.push({ stream, sinceMs: undefined, bodyBytes: 0 });
  }

  /** Stops the peers that have sent nothing since the last call, or went on for `maxMs`; how many went on for so long. */
  sweep(nowMs: number, maxMs: number): number {
    if (this.answered.length === 0) return 0;
    let cutOff = 0;
    const left: Answered[] = [];
    for (const one of this.answered) {
      const { stream } = one;
      if (stream.state !== HALF_CLOSED_LOCAL) continue;
      const isNew = one.sinceMs === undefined;
      one.sinceMs ??= nowMs;
      const isSending = isNew || stream.bodyBytes > one.bodyBytes;
      if (isSending && nowMs - one.sinceMs < maxMs) {
        one.bodyBytes = stream.bodyBytes;
        left.push(one);
        continue;
      }
      if (isSending) cutOff++;
      stream.stopPeer();
    }
    this.answered = left;
    return cutOff;
  }

  /** Stops all of them at once. */
  end(): void {
    const { answered } = this;
    this.answered = [];
    for (const { stream } of answered) stream.stopPeer();
  }
}
