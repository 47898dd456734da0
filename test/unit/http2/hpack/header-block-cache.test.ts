import { expect, test } from "vitest";
import { HeaderBlockCache } from "../../../../src/http2/hpack/header-block-cache.ts";

const bytes = Buffer.from("..abc..");

test("a value is found by the same bytes in the same generation only", () => {
  const cache = new HeaderBlockCache<string>();
  cache.keep(bytes, 2, 5, 7, "kept");
  expect(cache.find(Buffer.from("abc"), 0, 3, 7)).toBe("kept");
  expect(cache.find(bytes, 2, 5, 8)).toBeUndefined();
  expect(cache.find(bytes, 2, 6, 7)).toBeUndefined();
  expect(cache.find(Buffer.from("abd"), 0, 3, 7)).toBeUndefined();
});

test("the key is a copy: the chunk it came in may change", () => {
  const cache = new HeaderBlockCache<string>();
  const chunk = Buffer.from("abc");
  cache.keep(chunk, 0, 3, 0, "kept");
  chunk.fill(0);
  expect(cache.find(Buffer.from("abc"), 0, 3, 0)).toBe("kept");
});

test("many blocks are kept side by side, and blocks above 256 octets are not", () => {
  const cache = new HeaderBlockCache<number>();
  const blocks = Array.from({ length: 8 }, (_, i) => Buffer.from(`block-${i}`));
  for (const [i, block] of blocks.entries()) cache.keep(block, 0, block.length, 0, i);
  const found = blocks.filter((block, i) => cache.find(block, 0, block.length, 0) === i);
  expect(found.length).toBeGreaterThan(4);
  const long = Buffer.alloc(257);
  cache.keep(long, 0, 257, 0, 1);
  expect(cache.find(long, 0, 257, 0)).toBeUndefined();
});
