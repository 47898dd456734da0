/**
 * Follows the messages of an Arrow IPC stream, since the library takes one that is cut inside a message's length for one
 * that ends there, and its last rows are gone without a word.
 */
import { Message } from "apache-arrow";

const LENGTH_BYTES = 4;
const CONTINUATION = -1;
/** What is longer is no Arrow stream, such as most text: the library says so. */
const LONGEST_METADATA_BYTES = 1 << 27;

/** Gives the parts of a stream as they are. Throws, after the last, where the stream ends elsewhere than after a message. */
export async function* wholeMessages(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const messages = followMessages();
  for await (const part of parts) {
    messages.next(part);
    yield part;
  }
  if (!messages.isWhole) throw new Error("it ends within a message");
}

interface Messages {
  next(part: Uint8Array): void;
  /** Whether the stream may end here. */
  readonly isWhole: boolean;
}

function followMessages(): Messages {
  let state: "length" | "continued" | "metadata" | "body" | "ended" = "length";
  let held: Uint8Array[] = [];
  let missing = LENGTH_BYTES;
  let batchIsDue = false;

  function expect(next: typeof state, bytes: number): void {
    state = next;
    missing = bytes;
    held = [];
  }

  function take(bytes: Buffer): void {
    if (state === "metadata") {
      const message = Message.decode(bytes);
      if (message.bodyLength < 0) throw new Error("a message says that it is shorter than nothing");
      batchIsDue = message.isDictionaryBatch();
      expect("body", message.bodyLength);
    } else {
      const length = bytes.readInt32LE();
      // Streams of before Arrow 0.15 have the length alone.
      if (length === CONTINUATION && state === "length") expect("continued", LENGTH_BYTES);
      else if (length > 0 && length <= LONGEST_METADATA_BYTES) expect("metadata", length);
      else expect("ended", Number.POSITIVE_INFINITY);
    }
    if (state === "body" && missing === 0) expect("length", LENGTH_BYTES);
  }

  return {
    next(part) {
      for (let at = 0; at < part.length && state !== "ended"; ) {
        const some = part.subarray(at, at + missing);
        at += some.length;
        missing -= some.length;
        if (state === "body") {
          if (missing === 0) expect("length", LENGTH_BYTES);
          continue;
        }
        held.push(some);
        if (missing === 0) take(Buffer.concat(held));
      }
    },
    get isWhole() {
      return state === "ended" || (state === "length" && held.length === 0 && !batchIsDue);
    },
  };
}
