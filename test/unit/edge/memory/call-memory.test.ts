import { afterEach, expect, test, vi } from "vitest";
import { CallMemory } from "../../../../src/edge/memory/call-memory.ts";
import { createMemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";

const emptyHeap = () => ({ usedBytes: 0, limitBytes: 1_000_000 });

afterEach(() => vi.useRealTimers());

/** A budget whose whole limit a decoded message of another call holds. */
function full() {
  const budget = createMemoryBudget(100, emptyHeap);
  const other = new CallMemory(budget);
  budget.force(100);
  other.adoptDecoded(100);
  return { budget, other };
}

test("who waits for room goes on when another call ends, also where that is between two looks", async () => {
  const { budget, other } = full();
  const call = new CallMemory(budget);
  const waits = call.reserve(80);
  // Too little, then enough, with no turn of the loop between them.
  other.give(10, 10);
  other.end();
  await waits;
  expect([budget.heldBytes, budget.decodedBytes]).toEqual([80, 0]);
});

test("where no large message is held that will give any back, a message goes on beyond the limit", async () => {
  const budget = createMemoryBudget(100, emptyHeap);
  budget.take(90);
  await new CallMemory(budget).reserve(80);
  expect(budget.heldBytes).toBe(170);
});

test("a call that fails waits no longer, and takes nothing", async () => {
  const { budget } = full();
  const call = new CallMemory(budget);
  const waits = call.reserve(80);
  call.fail(new Error("gone"));
  await expect(waits).rejects.toThrow("gone");
  expect(budget.heldBytes).toBe(100);
});

test("who waits for what is not given back is told so by name", async () => {
  vi.useFakeTimers();
  const { budget, other } = full();
  const waits = new CallMemory(budget).reserve(80);
  const refused = expect(waits).rejects.toThrow(/max-request-memory-bytes/);
  await vi.advanceTimersByTimeAsync(9_000);
  other.give(1, 1);
  await vi.advanceTimersByTimeAsync(1_000);
  await refused;
  expect([budget.heldBytes, vi.getTimerCount()]).toEqual([99, 0]);
});

test("however a call ends, nothing that it decoded is counted on", () => {
  const budget = createMemoryBudget(100, emptyHeap);
  const call = new CallMemory(budget);
  budget.force(30);
  call.adoptDecoded(30);
  call.give(10, 10);
  call.end();
  budget.force(20);
  call.adoptDecoded(20);
  call.give(5, 5);
  expect([budget.heldBytes, budget.decodedBytes]).toEqual([0, 0]);
});
