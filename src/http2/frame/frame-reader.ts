/**
 * Cuts the bytes of a socket into frames (RFC 9113 section 4.1). Comes in: chunks of any size. Goes out: whole
 * frames, except that DATA passes through in pieces as it comes, so no body byte is ever copied or held here.
 * Promises: holds at most one frame other than DATA, thus no more than `maxFrameBytes`; throws ConnectionError.
 */
import { ConnectionError, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from "./error-code.ts";
import {
  CLIENT_PREFACE,
  DATA,
  DEFAULT_MAX_FRAME_BYTES,
  FLAG_END_STREAM,
  FLAG_PADDED,
  FRAME_HEADER_BYTES,
  readUint24,
  readUint31,
} from "./frame.ts";

/** Takes what the reader finds, in wire order. Byte ranges are valid until the method returns. */
export interface FrameSink {
  /** True once nothing more is to be read. */
  readonly readingEnded: boolean;
  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void;
  /** A DATA frame begins; `frameBytes` counts against flow control, `bodyBytes` of them will come as body. */
  dataBegin(streamId: number, flags: number, frameBytes: number, bodyBytes: number): void;
  /** A piece of the body of the DATA frame that began last; `end` on the last piece of one with END_STREAM. */
  dataPiece(bytes: Buffer, start: number, end: number, endStream: boolean): void;
}

/** Makes the function that takes each chunk. */
export function createFrameReader(sink: FrameSink): (chunk: Buffer) => void {
  let prefaceLeft = CLIENT_PREFACE.length;
  // A frame whose end has not come; its first `heldBytes` octets.
  let held: Buffer | undefined;
  let heldBytes = 0;
  // Of the DATA frame that is passing through.
  let bodyLeft = 0;
  let paddingLeft = 0;
  let endsStream = false;
  let inData = false;

  function readPreface(chunk: Buffer): number {
    const length = Math.min(prefaceLeft, chunk.length);
    const from = CLIENT_PREFACE.length - prefaceLeft;
    if (chunk.compare(CLIENT_PREFACE, from, from + length, 0, length) !== 0) {
      throw new ConnectionError(PROTOCOL_ERROR, "the connection does not open with the client preface (3.4)");
    }
    prefaceLeft -= length;
    return length;
  }

  /** Octets of the frame at `start` that must be there before it can be handled. */
  function wanted(bytes: Buffer, start: number): number {
    const length = readUint24(bytes, start);
    if (length > DEFAULT_MAX_FRAME_BYTES) {
      throw new ConnectionError(
        FRAME_SIZE_ERROR,
        "a frame above SETTINGS_MAX_FRAME_SIZE (4.2)",
        `${length} octets`,
      );
    }
    if (bytes[start + 3] !== DATA) return FRAME_HEADER_BYTES + length;
    if ((bytes[start + 4]! & FLAG_PADDED) === 0) return FRAME_HEADER_BYTES;
    if (length === 0)
      throw new ConnectionError(FRAME_SIZE_ERROR, "a padded DATA frame has no pad length (6.1)");
    return FRAME_HEADER_BYTES + 1;
  }

  /** Handles the frame at `start`, of which `wanted` octets are there; gives the offset after what it used. */
  function dispatch(bytes: Buffer, start: number, size: number): number {
    const type = bytes[start + 3]!;
    const flags = bytes[start + 4]!;
    const streamId = readUint31(bytes, start + 5);
    if (type !== DATA) {
      sink.frame(type, flags, streamId, bytes, start + FRAME_HEADER_BYTES, start + size);
      return start + size;
    }
    const length = readUint24(bytes, start);
    bodyLeft = length;
    paddingLeft = 0;
    if ((flags & FLAG_PADDED) !== 0) {
      paddingLeft = bytes[start + FRAME_HEADER_BYTES]!;
      bodyLeft = length - 1 - paddingLeft;
      if (bodyLeft < 0)
        throw new ConnectionError(PROTOCOL_ERROR, "padding is longer than its DATA frame (6.1)");
    }
    endsStream = (flags & FLAG_END_STREAM) !== 0;
    inData = true;
    sink.dataBegin(streamId, flags, length, bodyLeft);
    return start + size;
  }

  /** Passes on what is there of the DATA frame: body bytes, then padding, which is dropped. */
  function passData(chunk: Buffer, start: number): number {
    const bodyEnd = start + Math.min(bodyLeft, chunk.length - start);
    bodyLeft -= bodyEnd - start;
    const dropped = bodyLeft === 0 ? Math.min(paddingLeft, chunk.length - bodyEnd) : 0;
    paddingLeft -= dropped;
    inData = bodyLeft + paddingLeft > 0;
    sink.dataPiece(chunk, start, bodyEnd, !inData && endsStream);
    return bodyEnd + dropped;
  }

  /** Completes the held frame from `chunk`; gives the offset after what it took. */
  function completeHeld(chunk: Buffer): number {
    let position = 0;
    const take = (target: number) => {
      const length = Math.min(target - heldBytes, chunk.length - position);
      if (length <= 0) return;
      if (held!.length < target) held = Buffer.concat([held!.subarray(0, heldBytes)], target);
      chunk.copy(held!, heldBytes, position, position + length);
      heldBytes += length;
      position += length;
    };
    take(FRAME_HEADER_BYTES);
    if (heldBytes < FRAME_HEADER_BYTES) return position;
    const size = wanted(held!, 0);
    take(size);
    if (heldBytes < size) return position;
    const frame = held!;
    held = undefined;
    heldBytes = 0;
    dispatch(frame, 0, size);
    return position;
  }

  return (chunk) => {
    let position = prefaceLeft > 0 ? readPreface(chunk) : 0;
    if (held !== undefined) position = completeHeld(chunk);
    while (!sink.readingEnded) {
      if (inData) {
        // An empty DATA frame is handled even at the end of a chunk.
        if (position === chunk.length && bodyLeft + paddingLeft > 0) return;
        position = passData(chunk, position);
        continue;
      }
      const left = chunk.length - position;
      if (left === 0) return;
      const size = left < FRAME_HEADER_BYTES ? left + 1 : wanted(chunk, position);
      if (left < size) {
        held = Buffer.concat([chunk.subarray(position)], Math.max(left, FRAME_HEADER_BYTES));
        heldBytes = left;
        return;
      }
      position = dispatch(chunk, position, size);
    }
  };
}
