import fc from "fast-check";
import { expect, test } from "vitest";
import { readUint24, readUint31, readUint32, writeFrameHeader } from "../../../../src/http2/frame/frame.ts";

test("a frame header reads back as it was written", () => {
  fc.assert(
    fc.property(fc.nat(0xffffff), fc.nat(255), fc.nat(255), fc.nat(0x7fffffff), (length, type, flags, id) => {
      const bytes = Buffer.alloc(12);
      expect(writeFrameHeader(bytes, 3, length, type, flags, id)).toBe(12);
      expect([readUint24(bytes, 3), bytes[6], bytes[7], readUint31(bytes, 8)]).toEqual([
        length,
        type,
        flags,
        id,
      ]);
    }),
  );
});

test("the reserved bit of a stream id is ignored", () => {
  expect(readUint31(Buffer.of(0x80, 0, 0, 5), 0)).toBe(5);
  expect(readUint32(Buffer.of(0x80, 0, 0, 5), 0)).toBe(0x80000005);
});
