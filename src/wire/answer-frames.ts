import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { Deframer, type FrameStore } from "./deframer.ts";

/** Far above what a server answers to 2,048 rows, and still a limit. */
const MAX_MESSAGE_BYTES = 268_435_456;

/**
 * Cuts messages out of the pieces of a response: views where a message lies within one piece, else copies. Throws INTERNAL for a
 * compressed message, which was not asked for, and OUTPUT_TOO_LARGE above `maxMessageBytes`.
 */
export function answerDeframer(maxMessageBytes = MAX_MESSAGE_BYTES): Deframer<Uint8Array> {
  return new Deframer(new AnswerFrames(), maxMessageBytes, tooLarge);
}

class AnswerFrames implements FrameStore<Uint8Array> {
  private message: Uint8Array = NO_BYTES;
  private byteCount = 0;
  private filled = 0;

  begin(byteCount: number, flags: number): void {
    if (flags !== 0) {
      const what = `the server sent a message with flags ${flags}; expected 0, no compression was asked for`;
      throw new AssayError(Reason.INTERNAL, what);
    }
    this.message = NO_BYTES;
    this.byteCount = byteCount;
    this.filled = 0;
  }

  add(octets: Uint8Array): void {
    if (octets.length === this.byteCount) this.message = octets;
    else {
      if (this.filled === 0) this.message = Buffer.allocUnsafe(this.byteCount);
      this.message.set(octets, this.filled);
      this.filled += octets.length;
    }
  }

  end(): Uint8Array {
    const { message } = this;
    this.message = NO_BYTES;
    return message;
  }
}

function tooLarge(maxMessageBytes: number, byteCount: number): AssayError {
  return new AssayError(
    Reason.OUTPUT_TOO_LARGE,
    `the server announced a message of ${byteCount} bytes; at most ${maxMessageBytes} are taken: send fewer rows at a time`,
  );
}

const NO_BYTES: Uint8Array = new Uint8Array(0);
