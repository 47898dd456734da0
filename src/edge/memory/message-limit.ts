import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { Deframer, NOTHING_KEPT } from "../../wire/deframer.ts";
import { oldHeapLimit } from "./heap-limit.ts";

/** Why a body is refused, and how many of the bytes that were looked at last belong to messages before the one that is. */
export interface BodyRefusal {
  readonly error: AssayError;
  readonly goodBytes: number;
}

/** Looks at body bytes as they come; undefined while the body may go on. */
export type BodyCheck = (bytes: Uint8Array) => BodyRefusal | undefined;

/** Says that a message is larger than the server takes. */
export function messageTooLarge(maxMessageBytes: number, byteCount?: number): AssayError {
  const what = byteCount === undefined ? "the message" : `the message of ${byteCount} bytes`;
  return new AssayError(
    Reason.MESSAGE_TOO_LARGE,
    `${what} is larger than ${maxMessageBytes} bytes (max-message-bytes): send fewer rows at a time`,
    { limit: "max-message-bytes" },
  );
}

/** How many times as large as the largest message one may be once it is decoded. */
const DECODED_FACTOR = 10;
/** What every message may take decoded, however small the largest is. */
const LEAST_DECODED_BYTES = 16_777_216;
/** Of V8's heap, which lists that grow need several times while they do. */
const MOST_DECODED_BYTES = Math.max(LEAST_DECODED_BYTES, oldHeapLimit() / 5);

/** The most of V8's heap that one message may take once it is decoded. */
export function memoryPerMessage(maxMessageBytes: number): number {
  return Math.min(MOST_DECODED_BYTES, Math.max(LEAST_DECODED_BYTES, DECODED_FACTOR * maxMessageBytes));
}

/** Says that a message would take more memory than the server gives to one. */
export function tooLargeDecoded(maxMessageBytes: number, decodedBytes?: number): AssayError {
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 1_048_576)} MiB`;
  const what = decodedBytes === undefined ? "more memory" : `${mebibytes(decodedBytes)} of memory or more`;
  return new AssayError(
    Reason.MESSAGE_TOO_LARGE,
    `the message takes ${what} once it is decoded; ${mebibytes(memoryPerMessage(maxMessageBytes))} is the most for one message (${DECODED_FACTOR} times max-message-bytes, and a fifth of V8's heap): send fewer rows at a time, or tensors with raw_contents, which take what they weigh`,
    { limit: "message-memory" },
  );
}

/** What is discarded of a body after its answer, in largest messages, and at least. */
const DISCARDED_MESSAGES = 32;
const LEAST_DISCARDED_BYTES = 67_108_864;
/** How long a peer may go on to send it. */
export const MAX_DISCARD_MS = 30_000;

/**
 * How much of a body is still read, into nothing, after its request was answered: clients that read only once they have sent would lose
 * the answer to a reset.
 */
export function discardedBytes(maxMessageBytes: number): number {
  return Math.max(LEAST_DISCARDED_BYTES, DISCARDED_MESSAGES * maxMessageBytes);
}

/**
 * Bounds each message of a body that is framed by a flag byte and a 4-byte length: gRPC, gRPC-Web and Connect streams.
 * The length is judged when it comes, before the message does.
 */
export function framedMessageCheck(maxMessageBytes: number): BodyCheck {
  const deframer = new Deframer(NOTHING_KEPT, maxMessageBytes, messageTooLarge);
  return (bytes) => {
    let goodBytes = 0;
    deframer.push(bytes);
    try {
      while (deframer.next() !== undefined) goodBytes = deframer.at;
    } catch (error) {
      return { error: error as AssayError, goodBytes };
    }
    return undefined;
  };
}

/** Bounds a body that is one message. */
export function wholeBodyCheck(maxMessageBytes: number, contentLength: string | undefined): BodyCheck {
  const announced = contentLength === undefined ? 0 : Number(contentLength);
  let bytesSeen = 0;
  return (bytes) => {
    bytesSeen += bytes.length;
    const refused = (error: AssayError): BodyRefusal => ({ error, goodBytes: 0 });
    if (announced > maxMessageBytes) return refused(messageTooLarge(maxMessageBytes, announced));
    return bytesSeen > maxMessageBytes ? refused(messageTooLarge(maxMessageBytes)) : undefined;
  };
}
