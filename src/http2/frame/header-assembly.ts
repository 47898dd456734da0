/**
 * Puts header blocks together from HEADERS and CONTINUATION frames (RFC 9113 sections 6.2 and 6.10). Comes in: frame
 * payloads. Goes out: the range of a complete block, in place where it came in one frame. Bounded in octets and frames
 * (CVE-2024-27316); throws ConnectionError.
 */
import { ConnectionError, ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from "./error-code.ts";
import { FLAG_END_HEADERS, FLAG_END_STREAM, FLAG_PADDED, FLAG_PRIORITY, readUint31 } from "./frame.ts";

/** Bounds of a header block before it is decoded. */
export interface HeaderAssemblyLimits {
  readonly maxHeaderBlockBytes: number;
  readonly maxContinuationFrames: number;
}

/** Holds the one block that may be incomplete at a time. After a method gave true the block is in the fields. */
export class HeaderAssembly {
  /** Stream of the block; while `open`, only CONTINUATION frames of this stream may come. */
  streamId = 0;
  endStream = false;
  /** The stream was said to depend on itself (RFC 7540 section 5.3.1): an error of the stream. */
  dependsOnItself = false;
  open = false;
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  private readonly limits: HeaderAssemblyLimits;
  private fragments: Buffer[] = [];
  private fragmentBytes = 0;

  constructor(limits: HeaderAssemblyLimits) {
    this.limits = limits;
  }

  /** Takes a HEADERS frame; true when the block is complete. */
  headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): boolean {
    let from = start;
    let to = end;
    if ((flags & FLAG_PADDED) !== 0) {
      if (from >= to)
        throw new ConnectionError(FRAME_SIZE_ERROR, "a padded HEADERS frame has no pad length (6.2)");
      to -= bytes[from]!;
      from++;
    }
    this.dependsOnItself = false;
    if ((flags & FLAG_PRIORITY) !== 0) {
      if (end - from < 5) throw new ConnectionError(FRAME_SIZE_ERROR, "a HEADERS frame is cut off (6.2)");
      this.dependsOnItself = readUint31(bytes, from) === streamId;
      from += 5;
    }
    if (from > to)
      throw new ConnectionError(PROTOCOL_ERROR, "padding is longer than its HEADERS frame (6.2)");
    this.streamId = streamId;
    this.endStream = (flags & FLAG_END_STREAM) !== 0;
    if ((flags & FLAG_END_HEADERS) !== 0) {
      this.bytes = bytes;
      this.start = from;
      this.end = to;
      return true;
    }
    this.open = true;
    this.hold(bytes, from, to);
    return false;
  }

  /** Takes a CONTINUATION frame; true when the block is complete. */
  continuation(flags: number, streamId: number, bytes: Buffer, start: number, end: number): boolean {
    if (!this.open || streamId !== this.streamId) {
      throw new ConnectionError(PROTOCOL_ERROR, "a CONTINUATION frame without an open header block (6.10)");
    }
    this.hold(bytes, start, end);
    if ((flags & FLAG_END_HEADERS) === 0) return false;
    this.bytes = Buffer.concat(this.fragments, this.fragmentBytes);
    this.start = 0;
    this.end = this.fragmentBytes;
    this.fragments = [];
    this.fragmentBytes = 0;
    this.open = false;
    return true;
  }

  private hold(bytes: Buffer, start: number, end: number): void {
    this.fragments.push(Buffer.from(bytes.subarray(start, end)));
    this.fragmentBytes += end - start;
    const { maxContinuationFrames, maxHeaderBlockBytes } = this.limits;
    if (this.fragments.length > maxContinuationFrames + 1) {
      throw new ConnectionError(
        ENHANCE_YOUR_CALM,
        "too many CONTINUATION frames in a header block (CVE-2024-27316)",
      );
    }
    if (this.fragmentBytes > maxHeaderBlockBytes) {
      throw new ConnectionError(ENHANCE_YOUR_CALM, "a header block is too long (CVE-2024-27316)");
    }
  }
}
