import type { Output } from "../frame/output.ts";

/** A stream with something left to send or a writer to call back. */
export interface Sender {
  /** Whether it stands in the scheduler's line; the scheduler sets it. */
  inLine: boolean;
  /** Frames at most one DATA frame; false when it has to wait for its own window or has nothing left. */
  sendNext(): boolean;
}

/**
 * Who sends next when the connection's window or the socket holds streams back: they stand in line and take turns
 * frame by frame. A stream that waits for its own window is not in line.
 */
export class SendScheduler {
  /** The connection's send window; may not be exceeded by all streams together (RFC 9113 section 5.2.1). */
  window: number;
  private readonly output: Output;
  private line: Sender[] = [];

  constructor(output: Output, window: number) {
    this.output = output;
    this.window = window;
  }

  /** True when a stream may frame at once without overtaking others. */
  get idle(): boolean {
    return this.line.length === 0;
  }

  /** Puts a stream at the end of the line. */
  enqueue(sender: Sender): void {
    if (sender.inLine) return;
    sender.inLine = true;
    this.line.push(sender);
  }

  /** Lets the streams in line send, in turns, as far as window and socket allow. Never called from a handler's call. */
  pump(): void {
    while (this.line.length > 0 && this.window > 0 && this.output.hasRoom()) {
      const round = this.line;
      this.line = [];
      for (const [index, sender] of round.entries()) {
        if (this.window <= 0 || !this.output.hasRoom()) {
          this.line = [...round.slice(index), ...this.line];
          return;
        }
        sender.inLine = false;
        if (sender.sendNext()) this.enqueue(sender);
      }
    }
  }
}
