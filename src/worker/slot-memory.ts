const SMALLEST_BYTES = 64 * 1024;
/** Buffers up to this size are never given back. */
const KEPT_BYTES = 1024 * 1024;
/** A buffer is given back after this many runs that each used at most an eighth of it. */
const LEAN_RUNS = 256;
const LEAN_SHARE = 1 / 8;

/** A buffer in shared memory that follows what runs need; made by `createSlotMemory`. */
export interface SlotMemory {
  /** The present buffer; another one after `fit` returned true. */
  readonly buffer: SharedArrayBuffer;
  /** Makes room for `byteCount` bytes. True where the buffer was replaced: its content is then not copied. */
  fit(byteCount: number): boolean;
  /** Notes what a run used of it, so that one large run does not hold its memory for ever. */
  note(byteCount: number): void;
}

/** The size of a buffer for `byteCount` bytes: a power of two, so that buffers are seldom replaced, at most `maxBytes`. */
export function memorySize(byteCount: number, maxBytes: number): number {
  let size = SMALLEST_BYTES;
  while (size < byteCount) size *= 2;
  // Header words are int32: a size is a multiple of four.
  return Math.ceil(Math.max(byteCount, Math.min(size, maxBytes)) / 4) * 4;
}

/** Starts without a buffer. Callers check `maxBytes` themselves, so that they can say what is too large. */
export function createSlotMemory(maxBytes: number): SlotMemory {
  let buffer = new SharedArrayBuffer(0);
  let leanRuns = 0;
  let largestLean = 0;

  function replace(byteCount: number): boolean {
    buffer = new SharedArrayBuffer(memorySize(byteCount, maxBytes));
    leanRuns = largestLean = 0;
    return true;
  }

  return {
    get buffer() {
      return buffer;
    },
    fit(byteCount) {
      if (byteCount > buffer.byteLength) return replace(byteCount);
      return leanRuns >= LEAN_RUNS && replace(Math.max(byteCount, largestLean));
    },
    note(byteCount) {
      if (buffer.byteLength <= KEPT_BYTES || byteCount > buffer.byteLength * LEAN_SHARE) {
        leanRuns = largestLean = 0;
        return;
      }
      leanRuns++;
      largestLean = Math.max(largestLean, byteCount);
    },
  };
}
