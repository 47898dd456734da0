import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { ArrivedMessage } from "../../../../src/edge/grpc/arrived-message.ts";
import { createMessageMemory } from "../../../../src/edge/grpc/message-memory.ts";
import { CallMemory } from "../../../../src/edge/memory/call-memory.ts";
import { createMemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";
import type { ServerStream } from "../../../../src/http2/stream.ts";

const stream = { consume: () => {} } as unknown as ServerStream;
const heapUse = () => ({ usedBytes: 0, limitBytes: 1e9 });

test("what is read of a message counts for its stream's window and the budget until it leaves", () => {
  const budget = createMemoryBudget(1e6, heapUse);
  const memory = new CallMemory(budget);
  memory.take(105);
  const message = new ArrivedMessage(0, createMessageMemory().lease(100), 105, stream, memory);
  message.countHeap(400_000);
  expect(message.memoryBytes).toBeGreaterThanOrEqual(400_000);
  expect(budget.heldBytes).toBe(400_000);
  expect(() => message.countHeap(2e6)).toThrow(expect.objectContaining({ reason: Reason.MEMORY_FULL }));
  message.onLeave();
  expect(budget.heldBytes).toBe(0);
});
