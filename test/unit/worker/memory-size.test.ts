import { expect, test } from "vitest";
import { memorySize } from "../../../src/worker/memory-size.ts";

test.each([
  [1, 1 << 30, 65_536],
  [65_537, 1 << 30, 131_072],
  [100_000, 110_000, 110_000],
  [100, 4_096, 4_096],
  [109_999, 110_001, 110_004],
])("%d bytes of at most %d make a buffer of %d", (byteCount, maxBytes, size) => {
  expect(memorySize(byteCount, maxBytes)).toBe(size);
});
