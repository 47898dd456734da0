import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { FramePrefix } from "./grpc-frame.ts";

/**
 * Takes gRPC's messages out of the bytes of a response, whatever their pieces: a flag byte, a 4-byte length, the message.
 * `onMessage` gets a view of the piece where the message lies within one, else a copy. The function that is returned throws
 * INTERNAL for a compressed message, which was not asked for, and OUTPUT_TOO_LARGE above `maxMessageBytes`.
 */
export function createMessageReader(
  maxMessageBytes: number,
  onMessage: (message: Buffer) => void,
): (piece: Buffer) => void {
  const prefix = new FramePrefix();
  let message: Buffer | undefined;
  let messageBytes = 0;
  return (piece) => {
    let at = 0;
    while (at < piece.length) {
      if (message !== undefined) {
        const taken = piece.copy(message, messageBytes, at, at + message.length - messageBytes);
        messageBytes += taken;
        at += taken;
        if (messageBytes < message.length) return;
        const whole = message;
        message = undefined;
        onMessage(whole);
        continue;
      }
      at = prefix.read(piece, at);
      if (!prefix.isWhole) return;
      const length = checkedLength(prefix, maxMessageBytes);
      prefix.clear();
      if (piece.length - at >= length) {
        onMessage(piece.subarray(at, at + length));
        at += length;
      } else {
        message = Buffer.allocUnsafe(length);
        messageBytes = 0;
      }
    }
  };
}

function checkedLength({ flags, length }: FramePrefix, maxMessageBytes: number): number {
  if (flags !== 0) {
    throw new AssayError(
      Reason.INTERNAL,
      `the server sent a message with flags ${flags}; expected 0, no compression was asked for`,
    );
  }
  if (length > maxMessageBytes) {
    throw new AssayError(
      Reason.OUTPUT_TOO_LARGE,
      `the server announced a message of ${length} bytes; at most ${maxMessageBytes} are taken: send fewer rows at a time`,
    );
  }
  return length;
}
