import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";

const PREFIX_BYTES = 5;

/**
 * Takes gRPC's messages out of the bytes of a response, whatever their pieces: a flag byte, a 4-byte length, the message.
 * `onMessage` gets a view of the piece where the message lies within one, else a copy. The function that is returned throws
 * INTERNAL for a compressed message, which was not asked for, and OUTPUT_TOO_LARGE above `maxMessageBytes`.
 */
export function createMessageReader(
  maxMessageBytes: number,
  onMessage: (message: Buffer) => void,
): (piece: Buffer) => void {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  let prefixBytes = 0;
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
      const taken = piece.copy(prefix, prefixBytes, at, at + PREFIX_BYTES - prefixBytes);
      prefixBytes += taken;
      at += taken;
      if (prefixBytes < PREFIX_BYTES) return;
      prefixBytes = 0;
      const length = readPrefix(prefix, maxMessageBytes);
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

function readPrefix(prefix: Buffer, maxMessageBytes: number): number {
  if (prefix[0] !== 0) {
    throw new AssayError(
      Reason.INTERNAL,
      `the server sent a message with flags ${prefix[0]}; expected 0, no compression was asked for`,
    );
  }
  const length = prefix.readUInt32BE(1);
  if (length > maxMessageBytes) {
    throw new AssayError(
      Reason.OUTPUT_TOO_LARGE,
      `the server announced a message of ${length} bytes; at most ${maxMessageBytes} are taken: send fewer rows at a time`,
    );
  }
  return length;
}
