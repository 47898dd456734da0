import type { Message } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { DecodedMessages } from "../../../../src/edge/connect/decoded-messages.ts";
import { CallMemory } from "../../../../src/edge/memory/call-memory.ts";
import { createMemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";

const WINDOW = 100;

function start() {
  const budget = createMemoryBudget(10_000, () => ({ usedBytes: 0, limitBytes: 1_000_000 }));
  const memory = new CallMemory(budget);
  const messages = new DecodedMessages(memory, WINDOW);
  const arrive = (byteCount: number) => {
    budget.force(byteCount);
    memory.adoptDecoded(byteCount);
    messages.add({ message: {} as Message, heldBytes: byteCount, decodedBytes: byteCount });
    messages.take();
  };
  return { budget, messages, arrive };
}

test("an idle stream whose messages are answered holds nothing, however large they were", () => {
  const { budget, messages, arrive } = start();
  arrive(5_000);
  arrive(10);
  messages.answered();
  expect(budget.decodedBytes).toBeGreaterThan(0);
  messages.answered();
  expect([budget.heldBytes, budget.decodedBytes]).toEqual([0, 0]);
  arrive(7);
  expect(budget.heldBytes).toBe(7);
  messages.answered();
  expect(budget.heldBytes).toBe(0);
});

test("of messages that are not answered no more than the window and one is held", () => {
  const { budget, arrive } = start();
  for (let i = 0; i < 20; i++) arrive(60);
  expect(budget.heldBytes).toBeLessThanOrEqual(2 * WINDOW);
  arrive(5_000);
  expect(budget.heldBytes).toBe(5_000);
});
