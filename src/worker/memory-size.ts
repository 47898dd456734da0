const SMALLEST_BYTES = 64 * 1024;

/** The size of a buffer for `byteCount` bytes: a power of two, so that buffers are seldom replaced, at most `maxBytes`. */
export function memorySize(byteCount: number, maxBytes: number): number {
  let size = SMALLEST_BYTES;
  while (size < byteCount) size *= 2;
  // Header words are int32: a size is a multiple of four.
  return Math.ceil(Math.max(byteCount, Math.min(size, maxBytes)) / 4) * 4;
}
