import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";

const MIB = 1_048_576;
/** What V8 counts for the young generation at most: three semi-spaces of 64 MiB. */
const YOUNG_BYTES = 192 * MIB;

/**
 * About where V8 ends the process: its limit counts the young generation too, whose room the old one never gets. With
 * `--max-old-space-size=96` V8 says 288 MiB.
 */
export function oldHeapLimit(): number {
  const { heap_size_limit } = getHeapStatistics();
  return Math.max(heap_size_limit - YOUNG_BYTES, heap_size_limit / 3);
}

/** Bytes that the old generation takes, garbage included. */
export function oldHeapBytes(): number {
  let bytes = 0;
  for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
    if (!/^(new|read_only)/.test(space_name)) bytes += space_used_size;
  }
  return bytes;
}
