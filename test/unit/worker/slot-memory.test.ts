import { expect, test } from "vitest";
import { createSlotMemory, memorySize } from "../../../src/worker/slot-memory.ts";

test.each([
  [1, 1 << 30, 65_536],
  [65_537, 1 << 30, 131_072],
  [100_000, 110_000, 110_000],
  [100, 4_096, 4_096],
  [109_999, 110_001, 110_004],
])("%d bytes of at most %d make a buffer of %d", (byteCount, maxBytes, size) => {
  expect(memorySize(byteCount, maxBytes)).toBe(size);
});

const MIB = 1024 * 1024;

test("a buffer grows to what a run needs and stays while runs use it", () => {
  const memory = createSlotMemory(1 << 30);
  expect(memory.fit(10)).toBe(true);
  expect(memory.fit(65_536)).toBe(false);
  expect(memory.fit(4 * MIB)).toBe(true);
  for (let run = 0; run < 10_000; run++) {
    expect(memory.fit(MIB)).toBe(false);
    memory.note(run % 200 === 0 ? MIB : 100);
  }
  expect(memory.buffer.byteLength).toBe(4 * MIB);
});

test("a buffer that one large run made is given back when runs are small again", () => {
  const memory = createSlotMemory(1 << 30);
  memory.fit(64 * MIB);
  memory.note(64 * MIB);
  let runs = 0;
  for (; !memory.fit(3 * MIB); runs++) memory.note(3 * MIB);
  expect(runs).toBe(256);
  expect(memory.buffer.byteLength).toBe(4 * MIB);
});
