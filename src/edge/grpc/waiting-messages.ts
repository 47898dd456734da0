import { PREFIX_BYTES } from "../../wire/grpc-frame.ts";
import type { ArrivedMessage } from "./arrived-message.ts";
import { ByteBacklog } from "./byte-backlog.ts";

/** Messages that are taken apart before the stream's window has room for them; more of them where they are so long on average. */
const MOST_APART = 1024;
const LONG_BYTES = 512;

/**
 * What has come of a stream and is not read: whole messages in order, and behind many short ones the octets as they came, because
 * messages of five octets take fifty times as much once they are taken apart.
 */
export class WaitingMessages {
  private readonly deframe: (bytes: Uint8Array) => void;
  private readonly backlog = new ByteBacklog();
  /** From `head` on. */
  private readonly messages: (ArrivedMessage | undefined)[] = [];
  private head = 0;
  /** Octets that were taken apart and are not read, of a message that is on its way too. */
  private apartBytes = 0;

  /** `deframe` takes octets apart and adds each message that is whole. */
  constructor(deframe: (bytes: Uint8Array) => void) {
    this.deframe = deframe;
  }

  /** Takes what has come, a view that need not stay. */
  take(bytes: Uint8Array): void {
    const count = this.messages.length - this.head;
    if (this.backlog.isEmpty && (count < MOST_APART || this.apartBytes >= count * LONG_BYTES)) {
      this.takeApart(bytes);
    } else this.backlog.add(bytes);
  }

  /** Adds a whole message. */
  add(message: ArrivedMessage): void {
    this.messages.push(message);
  }

  /** The next message, which leaves it; undefined where none is whole. */
  next(): ArrivedMessage | undefined {
    const { messages } = this;
    while (this.head === messages.length) {
      const bytes = this.backlog.take();
      if (bytes === undefined) return undefined;
      this.takeApart(bytes);
    }
    const next = messages[this.head]!;
    messages[this.head++] = undefined;
    this.apartBytes -= PREFIX_BYTES + next.lease.bytes.length;
    if (this.head === messages.length) this.head = messages.length = 0;
    return next;
  }

  /** Forgets the octets that were not taken apart. */
  dropRest(): void {
    this.backlog.clear();
  }

  private takeApart(bytes: Uint8Array): void {
    this.apartBytes += bytes.length;
    this.deframe(bytes);
  }
}
