import { expect, test } from "vitest";
import { giveSlab, takeSlab } from "../../../../src/http2/connection/slab-pool.ts";

test("a slab that was given back is handed out again, from its offset on", () => {
  const slab = takeSlab(100);
  slab.offset += 50;
  giveSlab(slab);
  const again = takeSlab(100);
  expect(again).toBe(slab);
  expect(again.offset).toBeGreaterThanOrEqual(50);
});

test("one with too little room is not", () => {
  const slab = takeSlab(100);
  slab.offset = slab.bytes.length - 10;
  giveSlab(slab);
  expect(takeSlab(100)).not.toBe(slab);
});

test("a large request gets a slab of its own size", () => {
  expect(takeSlab(1_000_000).bytes.length).toBe(1_000_000);
});
