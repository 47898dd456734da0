import type { Message } from "@bufbuild/protobuf";
import type { Decoded } from "../decode/message-decoder.ts";
import type { CallMemory } from "../memory/call-memory.ts";

/**
 * The messages of one request, decoded here: Connect's handler reads an empty one in the place of each, and its procedure gets these.
 * What those hold that were handed on is given back as more follow, since the service's window bounds how many it keeps, and when all
 * are answered: a stream may then stay open and idle for as long as its caller likes.
 */
export class DecodedMessages {
  private readonly memory: CallMemory;
  private readonly windowBytes: number;
  private readonly waiting: Decoded[] = [];
  private handedOn: Decoded[] = [];
  private handedBytes = 0;
  private unanswered = 0;

  constructor(memory: CallMemory, windowBytes: number) {
    this.memory = memory;
    this.windowBytes = windowBytes;
  }

  add(decoded: Decoded): void {
    this.waiting.push(decoded);
  }

  /** The next message; the caller knows that there is one. */
  take(): Message {
    // Never more than a few: each is taken as it comes.
    const next = this.waiting.shift()!;
    this.handedOn.push(next);
    this.handedBytes += next.heldBytes;
    this.unanswered++;
    if (this.handedBytes > 2 * this.windowBytes) this.release(this.windowBytes, 1);
    return next.message;
  }

  /** For each message of `hollow` its own. */
  async *inPlaceOf(hollow: AsyncIterable<unknown>): AsyncGenerator<Message> {
    for await (const _ of hollow) yield this.take();
  }

  /** One answer of a bidi stream goes out, which has one for each message. */
  answered(): void {
    this.unanswered--;
    if (this.unanswered === 0) this.release(0, 0);
  }

  /** Gives back the oldest until no more than `keptBytes` or `keptMessages` are left. */
  private release(keptBytes: number, keptMessages: number): void {
    let count = 0;
    for (; this.handedBytes > keptBytes && count < this.handedOn.length - keptMessages; count++) {
      const { heldBytes, decodedBytes } = this.handedOn[count]!;
      this.handedBytes -= heldBytes;
      this.memory.give(heldBytes, decodedBytes);
    }
    this.handedOn = this.handedOn.slice(count);
  }
}
