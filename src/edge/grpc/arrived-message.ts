import type { ServerStream } from "../../http2/stream.ts";
import type { ItemSize } from "../../service/scoring.ts";
import { PREFIX_BYTES } from "../../wire/grpc-frame.ts";
import type { CallMemory } from "../memory/call-memory.ts";
import type { MessageLease } from "./message-memory.ts";

/** What an item takes besides its message: objects here, in the service and in the batcher. */
const ITEM_BYTES = 256;

/** A whole message of a stream, from its last octet until its answer is taken: then its memory and the peer's window go back. */
export class ArrivedMessage implements ItemSize {
  /** What its item takes of the server's memory. */
  memoryBytes: number;
  readonly flags: number;
  readonly lease: MessageLease;
  /** What it holds of its call's memory, and of that, what was adopted as decoded. */
  heldBytes: number;
  decodedBytes = 0;
  /** Octets of the peer's window that it holds. */
  private readonly wireBytes: number;
  private readonly stream: ServerStream;
  private readonly memory: CallMemory;

  constructor(
    flags: number,
    lease: MessageLease,
    wireBytes: number,
    stream: ServerStream,
    memory: CallMemory,
  ) {
    this.memoryBytes = ITEM_BYTES + lease.bytes.length;
    this.flags = flags;
    this.lease = lease;
    this.wireBytes = wireBytes;
    this.stream = stream;
    this.memory = memory;
    this.heldBytes = PREFIX_BYTES + lease.bytes.length;
  }

  /** It takes `byteCount` decompressed, or decoded. */
  measured(byteCount: number): void {
    this.memoryBytes = ITEM_BYTES + byteCount;
  }

  /** It takes `byteCount` with what was read of it: of many small tensors many times its octets. Throws MEMORY_FULL. */
  countHeap(byteCount: number): void {
    const moreBytes = byteCount - this.heldBytes;
    const refused = this.memory.take(moreBytes);
    if (refused !== undefined) throw refused;
    this.heldBytes += moreBytes;
    this.measured(byteCount);
  }

  onLeave(): void {
    this.lease.release();
    this.memory.give(this.heldBytes, this.decodedBytes);
    if (this.wireBytes > 0) this.stream.consume(this.wireBytes);
  }
}
