import { expect, test } from "vitest";
import { CallMemory } from "../../../../src/edge/memory/call-memory.ts";
import {
  createMemoryBudget,
  defaultMemoryBytes,
  memoryFull,
} from "../../../../src/edge/memory/memory-budget.ts";

const MIB = 1_048_576;
const emptyHeap = () => ({ usedBytes: 0, limitBytes: 100 });

test("what is beyond the limit is not taken, and what is given back may be taken again", () => {
  const budget = createMemoryBudget(100, emptyHeap);
  expect(budget.take(60)).toBe(true);
  expect(budget.take(41)).toBe(false);
  expect(budget.heldBytes).toBe(60);
  budget.give(60);
  expect(budget.take(100)).toBe(true);
});

test("whoever waits is woken once when bytes are given back", () => {
  const budget = createMemoryBudget(100, emptyHeap);
  budget.take(100);
  let wakes = 0;
  budget.whenGiven(() => wakes++);
  budget.give(1);
  budget.give(1);
  expect(wakes).toBe(1);
});

test("near V8's limit large requests are refused first and then all, by name; with nothing held the heap holds garbage alone", () => {
  let usedBytes = 85;
  const budget = createMemoryBudget(1000 * MIB, () => ({ usedBytes, limitBytes: 100 }));
  expect(budget.take(3 * MIB)).toBe(true);
  expect(budget.take(4 * MIB)).toBe(false);
  expect(memoryFull(budget)).toMatchObject({
    limit: "heap",
    message: expect.stringMatching(/heap is nearly full/),
  });
  expect(budget.take(2000)).toBe(true);
  usedBytes = 95;
  budget.force(2 * MIB);
  for (let i = 0; i < 200 && budget.take(2000); i++);
  expect(budget.take(2000)).toBe(false);
});

test("a call's end gives back all that it holds, and what comes later takes nothing", () => {
  const budget = createMemoryBudget(100, emptyHeap);
  const call = new CallMemory(budget);
  expect(call.take(50)).toBeUndefined();
  expect(call.take(51)?.message).toMatch(/max-request-memory-bytes/);
  call.give(10);
  budget.force(20);
  call.adopt(20);
  expect(budget.heldBytes).toBe(60);
  call.end();
  call.take(10);
  call.give(10);
  call.end();
  expect(budget.heldBytes).toBe(0);
});

test("the default holds at least four of the largest messages", () => {
  expect(defaultMemoryBytes(2 ** 40)).toBe(2 ** 42);
  expect(defaultMemoryBytes(1024)).toBeGreaterThanOrEqual(64 * MIB);
});
