import fc from "fast-check";
import { expect, test } from "vitest";
import { createMessageMemory, type MessageLease } from "../../../../src/edge/grpc/message-memory.ts";

test("leases that are open never share memory, whatever is given back in between", () => {
  const size = fc.oneof(fc.nat(100), fc.nat(70_000), fc.nat(600_000));
  const step = fc.record({ size, isRelease: fc.boolean(), which: fc.nat(50) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = createMessageMemory();
      const open: { lease: MessageLease; mark: number }[] = [];
      for (const [i, { size, isRelease, which }] of steps.entries()) {
        if (isRelease && open.length > 0) open.splice(which % open.length, 1)[0]!.lease.release();
        else {
          const lease = memory.lease(size);
          expect(lease.bytes).toHaveLength(size);
          lease.bytes.fill(i);
          open.push({ lease, mark: i });
        }
      }
      for (const { lease, mark } of open) expect(lease.bytes.every((byte) => byte === mark)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("what was given back is used again", () => {
  const memory = createMessageMemory();
  const buffers = new Set<ArrayBufferLike>();
  for (let i = 0; i < 100; i++) {
    const leases = [2_000, 30_000, 500_000].map((size) => memory.lease(size));
    for (const { bytes } of leases) buffers.add(bytes.buffer);
    for (const lease of leases) lease.release();
  }
  expect(buffers.size).toBe(2);
});

test("what is kept while nobody uses it is bounded", () => {
  const memory = createMessageMemory();
  const leases = Array.from({ length: 40 }, () => memory.lease(1_000_000));
  for (const lease of leases) lease.release();
  expect(memory.idleBytes).toBe(16 * 1_048_576);
});
