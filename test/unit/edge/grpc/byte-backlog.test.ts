import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteBacklog } from "../../../../src/edge/grpc/byte-backlog.ts";

test("bytes come out as they went in, whatever the pieces, while the pieces' memory is written over", () => {
  const step = fc.oneof(fc.nat(40), fc.nat(40_000), fc.constant("take" as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const backlog = new ByteBacklog();
      const memory = new Uint8Array(40_000);
      let next = 0;
      let expected = 0;
      const take = (): boolean => {
        const bytes = backlog.take();
        // One expectation for all of them: each takes longer than the bytes.
        const wrong = bytes?.findIndex((byte, i) => byte !== (expected + i) % 251) ?? -1;
        expect(wrong).toBe(-1);
        expected += bytes?.length ?? 0;
        return bytes !== undefined;
      };
      for (const one of steps) {
        if (one === "take") take();
        else {
          const piece = memory.subarray(0, one);
          for (let i = 0; i < one; i++) piece[i] = next++ % 251;
          backlog.add(piece);
          memory.fill(255);
        }
        expect(backlog.isEmpty).toBe(expected === next);
      }
      while (take());
      expect(expected).toBe(next);
    }),
    { numRuns: 100 },
  );
});

test("a million pieces of one octet take what a million octets take", () => {
  const backlog = new ByteBacklog();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 1_000_000; i++) backlog.add(Uint8Array.of(i & 255));
  let length = 0;
  let blocks = 0;
  for (let bytes = backlog.take(); bytes !== undefined; bytes = backlog.take(), blocks++)
    length += bytes.length;
  expect(length).toBe(1_000_000);
  expect(blocks).toBeLessThan(100);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
});
