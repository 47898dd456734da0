/**
 * What one connection sends. Comes in: frames, written as they are made. Goes out: one socket write for all frames
 * of a turn of the event loop, small ones side by side in one slab, large bodies by reference.
 * Promises: order is kept; `blocked` is true while the socket has more waiting than it should.
 */
import type { Socket } from "node:net";
import {
  CONTINUATION,
  DATA,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FRAME_HEADER_BYTES,
  GOAWAY,
  HEADERS,
  RST_STREAM,
  WINDOW_UPDATE,
  writeFrameHeader,
  writeUint32,
} from "./frame.ts";
import { giveRoom, growRoom, type Slab, takeRoom } from "./slab.ts";

// A body piece at least this long goes out by reference: below, a copy costs less than another entry of writev.
const REFERENCE_BYTES = 8_192;
const FLUSH_BYTES = 524_288;
const BLOCKED_BYTES = 131_072;
const COPY_LOOP_BYTES = 40;
// Room that a connection takes at once: the answers of a turn usually fit in it.
const ROOM_BYTES = 4_096;

// "Dynamic table size update" to 0 (RFC 7541 section 6.3).
const NO_TABLE = Buffer.of(0x20);
const NOTHING = Buffer.alloc(0);

/** Writes frames to a socket. */
export class Output {
  /** Set while more waits in the socket than one write should leave there; ends with its `drain` event. */
  blocked = false;
  /** Octets framed in this turn and not yet handed to the socket. */
  pendingBytes = 0;
  /** DATA frames with a body so far: what the peer's windows let through. */
  framesSent = 0;
  maxFrameBytes: number;
  private readonly socket: Socket;
  private readonly blockedBytes: number;
  private readonly flushTurn: () => void;
  private slab: Slab | undefined;
  // The room in `slab`; where its octets begin that are in no segment yet, and where the next one goes.
  private roomStart = 0;
  private roomEnd = 0;
  private start = 0;
  private position = 0;
  // What was filled in this turn before.
  private full: { slab: Slab; start: number; end: number }[] = [];
  private segments: Uint8Array[] = [];
  private scheduled = false;
  private tableNoticeDue = false;

  constructor(socket: Socket, maxFrameBytes: number) {
    this.socket = socket;
    // Not below the high-water mark, because only there will the socket say "drain".
    this.blockedBytes = Math.max(BLOCKED_BYTES, socket.writableHighWaterMark);
    this.maxFrameBytes = maxFrameBytes;
    const flushTurn = (): void => {
      this.scheduled = false;
      this.flush();
    };
    this.flushTurn = flushTurn;
  }

  /** Octets framed and not yet taken by the kernel. */
  get waitingBytes(): number {
    return this.pendingBytes + this.socket.writableLength;
  }

  /** False when a writer should wait for the socket. Hands over what a turn has framed once that is much. */
  hasRoom(): boolean {
    if (this.pendingBytes >= FLUSH_BYTES) this.flush();
    return !this.blocked;
  }

  /**
   * The peer made its HPACK table smaller. This end uses none, and says so at the start of the next block, as RFC 7541
   * section 4.2 asks of an encoder whose table shrinks.
   */
  announceNoTable(): void {
    this.tableNoticeDue = true;
  }

  /** HEADERS, and CONTINUATION where the block is longer than a frame; `status` is empty for trailers. */
  headers(streamId: number, status: Uint8Array | undefined, block: Uint8Array, endStream: boolean): void {
    if (this.tableNoticeDue) {
      this.tableNoticeDue = false;
      this.headers(streamId, undefined, Buffer.concat([NO_TABLE, status ?? NOTHING, block]), endStream);
      return;
    }
    const statusBytes = status === undefined ? 0 : status.length;
    const length = statusBytes + block.length;
    const endFlag = endStream ? FLAG_END_STREAM : 0;
    if (length > this.maxFrameBytes) {
      this.longHeaders(streamId, status === undefined ? block : Buffer.concat([status, block]), endFlag);
      return;
    }
    const bytes = this.reserve(FRAME_HEADER_BYTES + length);
    const flags = FLAG_END_HEADERS | endFlag;
    this.position = writeFrameHeader(bytes, this.position, length, HEADERS, flags, streamId);
    if (status !== undefined) this.copy(bytes, status, 0, statusBytes);
    this.copy(bytes, block, 0, block.length);
  }

  /** One DATA frame with `source[start, end)`, which the caller keeps within `maxFrameBytes` and the windows. */
  data(streamId: number, source: Uint8Array, start: number, end: number, endStream: boolean): void {
    const length = end - start;
    if (length > 0) this.framesSent++;
    const flags = endStream ? FLAG_END_STREAM : 0;
    if (length < REFERENCE_BYTES) {
      const bytes = this.reserve(FRAME_HEADER_BYTES + length);
      this.position = writeFrameHeader(bytes, this.position, length, DATA, flags, streamId);
      this.copy(bytes, source, start, end);
      return;
    }
    const bytes = this.reserve(FRAME_HEADER_BYTES);
    this.position = writeFrameHeader(bytes, this.position, length, DATA, flags, streamId);
    this.cut();
    this.segments.push(source.subarray(start, end));
    this.pendingBytes += length;
  }

  resetStream(streamId: number, code: number): void {
    const bytes = this.reserve(FRAME_HEADER_BYTES + 4);
    const payload = writeFrameHeader(bytes, this.position, 4, RST_STREAM, 0, streamId);
    this.position = writeUint32(bytes, payload, code);
  }

  windowUpdate(streamId: number, increment: number): void {
    const bytes = this.reserve(FRAME_HEADER_BYTES + 4);
    const payload = writeFrameHeader(bytes, this.position, 4, WINDOW_UPDATE, 0, streamId);
    this.position = writeUint32(bytes, payload, increment);
  }

  goaway(lastStreamId: number, code: number, reason: string): void {
    const debug = Buffer.from(reason, "utf8");
    const bytes = this.reserve(FRAME_HEADER_BYTES + 8 + debug.length);
    const payload = writeFrameHeader(bytes, this.position, 8 + debug.length, GOAWAY, 0, 0);
    this.position = writeUint32(bytes, writeUint32(bytes, payload, lastStreamId), code);
    this.copy(bytes, debug, 0, debug.length);
  }

  /** A frame on stream 0 with a given payload: SETTINGS or PING. */
  control(type: number, flags: number, payload: Uint8Array, start: number, end: number): void {
    const bytes = this.reserve(FRAME_HEADER_BYTES + end - start);
    this.position = writeFrameHeader(bytes, this.position, end - start, type, flags, 0);
    this.copy(bytes, payload, start, end);
  }

  /** Hands all frames made so far to the socket in one write. */
  flush(): void {
    if (this.pendingBytes === 0) return;
    const socket = this.socket;
    if (socket.destroyed) {
      this.discard();
      return;
    }
    const slab = this.slab;
    this.pendingBytes = 0;
    if (this.segments.length === 0) {
      socket.write(slab!.bytes.subarray(this.start, this.position));
    } else {
      this.cut();
      socket.cork();
      for (const segment of this.segments) socket.write(segment);
      socket.uncork();
      this.segments = [];
    }
    // The kernel took everything: the octets are free again. Otherwise they stay with the socket.
    const waiting = socket.writableLength;
    this.giveRooms(waiting > 0);
    if (waiting >= this.blockedBytes) this.blocked = true;
  }

  /** Drops what was not handed over: the socket is gone. */
  discard(): void {
    this.pendingBytes = 0;
    this.segments = [];
    this.giveRooms(false);
  }

  private longHeaders(streamId: number, block: Uint8Array, endFlag: number): void {
    for (let start = 0; start < block.length; start += this.maxFrameBytes) {
      const end = Math.min(block.length, start + this.maxFrameBytes);
      const bytes = this.reserve(FRAME_HEADER_BYTES + end - start);
      const type = start === 0 ? HEADERS : CONTINUATION;
      const flags = (start === 0 ? endFlag : 0) | (end === block.length ? FLAG_END_HEADERS : 0);
      this.position = writeFrameHeader(bytes, this.position, end - start, type, flags, streamId);
      this.copy(bytes, block, start, end);
    }
  }

  private reserve(byteCount: number): Buffer {
    if (!this.scheduled) {
      this.scheduled = true;
      process.nextTick(this.flushTurn);
    }
    this.pendingBytes += byteCount;
    const { slab } = this;
    if (slab !== undefined && this.roomEnd - this.position >= byteCount) return slab.bytes;
    return this.takeRoom(Math.max(byteCount, ROOM_BYTES)).bytes;
  }

  private takeRoom(byteCount: number): Slab {
    if (this.slab !== undefined) {
      if (growRoom(this.slab, this.roomEnd, byteCount)) {
        this.roomEnd += byteCount;
        return this.slab;
      }
      this.cut();
      this.full.push({ slab: this.slab, start: this.roomStart, end: this.roomEnd });
    }
    const slab = takeRoom(byteCount);
    this.slab = slab;
    this.roomEnd = slab.offset;
    this.roomStart = this.start = this.position = slab.offset - byteCount;
    return slab;
  }

  private giveRooms(isInUse: boolean): void {
    const { slab } = this;
    if (slab === undefined) return;
    giveRoom(slab, this.roomStart, isInUse ? this.position : this.roomStart, this.roomEnd);
    this.slab = undefined;
    if (this.full.length === 0) return;
    for (const { slab, start, end } of this.full) giveRoom(slab, start, isInUse ? end : start, end);
    this.full = [];
  }

  private cut(): void {
    if (this.slab === undefined || this.position === this.start) return;
    this.segments.push(this.slab.bytes.subarray(this.start, this.position));
    this.start = this.position;
  }

  private copy(target: Buffer, source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length <= COPY_LOOP_BYTES) {
      for (let i = 0; i < length; i++) target[this.position + i] = source[start + i]!;
    } else {
      target.set(start === 0 && end === source.length ? source : source.subarray(start, end), this.position);
    }
    this.position += length;
  }
}
