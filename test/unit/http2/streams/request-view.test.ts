import { expect, test } from "vitest";
import { EarlyBody } from "../../../../src/http2/streams/request-view.ts";

test("pieces are put together in their order, and copied", () => {
  const early = new EarlyBody();
  const piece = Buffer.from("ab");
  early.add(piece, false);
  piece.fill(0);
  early.add(Buffer.from("cde"), false);
  expect([Buffer.from(early.bytes).toString(), early.end]).toEqual(["abcde", false]);
  early.add(Buffer.alloc(0), true);
  expect([Buffer.from(early.bytes).toString(), early.end]).toEqual(["abcde", true]);
});

test("pieces of one octet take no more than twice their length", () => {
  const early = new EarlyBody();
  for (let i = 0; i < 100_000; i++) early.add(Buffer.of(i & 0xff), false);
  expect(early.bytes.length).toBe(100_000);
  expect(early.bytes.buffer.byteLength).toBeLessThanOrEqual(200_000);
  expect(early.bytes[99_999]).toBe(99_999 & 0xff);
});
