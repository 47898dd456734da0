import fc from "fast-check";
import { expect, test } from "vitest";
import { FramePrefix, framed, PREFIX_BYTES } from "../../../src/wire/grpc-frame.ts";

test("a prefix is read as it was written, in whatever pieces it comes, and no octet of the message with it", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 255 }),
      fc.uint8Array({ maxLength: 400 }),
      fc.integer({ min: 1, max: 9 }),
      (flags, message, step) => {
        const bytes = framed(flags, message);
        const prefix = new FramePrefix();
        let at = 0;
        while (!prefix.isWhole) {
          const piece = bytes.subarray(at, at + step);
          at += prefix.read(piece, 0);
          expect(prefix.byteCount).toBe(at);
        }
        expect([prefix.flags, prefix.length, at]).toEqual([flags, message.length, PREFIX_BYTES]);
        prefix.clear();
        expect([prefix.isWhole, prefix.length]).toEqual([false, 0]);
      },
    ),
  );
});

test("a length of 32 bits is no negative number", () => {
  const prefix = new FramePrefix();
  prefix.read(Uint8Array.of(1, 255, 255, 255, 255), 0);
  expect(prefix.length).toBe(2 ** 32 - 1);
});
