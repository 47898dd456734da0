/**
 * What requests may take of the server's memory, all together: bytes that arrived, were decompressed, were decoded, wait or are not
 * read by their callers. Estimates, counted where they come and given back where they go.
 */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { oldHeapBytes, oldHeapLimit } from "./heap-limit.ts";

/** One count for the whole process; `src/http2` and others take of it through this shape, passed narrow. */
export interface MemoryBudget {
  readonly limitBytes: number;
  readonly heldBytes: number;
  /** Of these, what large messages take that are decoded and not answered. */
  decodedBytes: number;
  /** Takes so many bytes, or none and says false: the limit is reached, or V8's heap is nearly full. */
  take(byteCount: number): boolean;
  /** Takes them whatever the limit says: for what must go on so that anything ends. */
  force(byteCount: number): void;
  give(byteCount: number): void;
  /** Whether V8 is near its limit, where it would end the process, or would be with so many bytes more. */
  heapIsNearlyFull(moreBytes?: number): boolean;
  /** Calls `wake` once, when bytes have been given back. */
  whenGiven(wake: () => void): void;
}

/** Says what V8 uses and may use, in bytes. */
export type HeapUse = () => { readonly usedBytes: number; readonly limitBytes: number };

const MIB = 1_048_576;
/** Of V8's limit: beyond it nothing large is taken on, and beyond the second one nothing at all. */
const LARGE_REFUSED = 0.8;
const ALL_REFUSED = 0.92;
const LARGE_BYTES = 65_536;
/** The heap is looked at anew after so many bytes or milliseconds: a look takes microseconds. */
const LOOK_BYTES = 262_144;
const LOOK_MS = 20;
/** While requests hold less than this, what fills the heap is garbage, which only new allocations make V8 collect. */
const IDLE_BYTES = 4 * MIB;

/** The budget where none is configured: a quarter of V8's heap limit, at least 64 MiB and four of the largest messages. */
export function defaultMemoryBytes(maxMessageBytes: number): number {
  return Math.max(64 * MIB, 4 * maxMessageBytes, Math.floor(oldHeapLimit() / 4));
}

/** Makes a budget of which nothing is taken. `heapUse` stands in for V8's own figures in tests. */
export function createMemoryBudget(limitBytes: number, heapUse: HeapUse = v8Heap): MemoryBudget {
  return new Budget(limitBytes, heapUse);
}

/** Says that the budget holds no more; `heapBytes` of the heap were wanted. */
export function memoryFull(budget: MemoryBudget, heapBytes = 0): AssayError {
  const isHeap = budget.heapIsNearlyFull(heapBytes);
  const what = isHeap
    ? "the server's heap is nearly full"
    : `requests hold ${mebibytes(budget.heldBytes)} of the ${mebibytes(budget.limitBytes)} that they may take of the server's memory (max-request-memory-bytes)`;
  return new AssayError(
    Reason.MEMORY_FULL,
    `${what}: try again, or send fewer and smaller requests at once`,
    {
      limit: isHeap ? "heap" : "max-request-memory-bytes",
    },
  );
}

function mebibytes(byteCount: number): string {
  return `${Math.round(byteCount / MIB)} MiB`;
}

function v8Heap(): { usedBytes: number; limitBytes: number } {
  return { usedBytes: oldHeapBytes(), limitBytes: oldHeapLimit() };
}

class Budget implements MemoryBudget {
  readonly limitBytes: number;
  heldBytes = 0;
  decodedBytes = 0;
  private readonly heapUse: HeapUse;
  private heapFill = 0;
  private heapLimitBytes = Number.POSITIVE_INFINITY;
  private unlookedBytes = LOOK_BYTES;
  private lookedAt = 0;
  private waiting: (() => void)[] = [];

  constructor(limitBytes: number, heapUse: HeapUse) {
    this.limitBytes = limitBytes;
    this.heapUse = heapUse;
  }

  take(byteCount: number): boolean {
    if (this.heldBytes + byteCount > this.limitBytes) return false;
    if (this.heldBytes + byteCount > IDLE_BYTES) {
      this.look(byteCount);
      if (this.heapFill > ALL_REFUSED || (this.heapFill > LARGE_REFUSED && byteCount > LARGE_BYTES))
        return false;
    }
    this.heldBytes += byteCount;
    return true;
  }

  force(byteCount: number): void {
    this.heldBytes += byteCount;
  }

  give(byteCount: number): void {
    this.heldBytes -= byteCount;
    if (this.waiting.length === 0) return;
    const { waiting } = this;
    this.waiting = [];
    for (const wake of waiting) wake();
  }

  heapIsNearlyFull(moreBytes = 0): boolean {
    this.look(moreBytes);
    return this.heapFill > LARGE_REFUSED || this.heapFill + moreBytes / this.heapLimitBytes > ALL_REFUSED;
  }

  whenGiven(wake: () => void): void {
    this.waiting.push(wake);
  }

  private look(byteCount: number): void {
    this.unlookedBytes += byteCount;
    const now = performance.now();
    if (this.unlookedBytes < LOOK_BYTES && now - this.lookedAt < LOOK_MS) return;
    this.unlookedBytes = 0;
    this.lookedAt = now;
    const { usedBytes, limitBytes } = this.heapUse();
    this.heapFill = usedBytes / limitBytes;
    this.heapLimitBytes = limitBytes;
  }
}
