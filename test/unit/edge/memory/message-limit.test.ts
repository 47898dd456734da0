import fc from "fast-check";
import { expect, test } from "vitest";
import { framedMessageCheck, wholeBodyCheck } from "../../../../src/edge/memory/message-limit.ts";

function frame(length: number): Buffer {
  const bytes = Buffer.alloc(5 + length);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

test("frames up to the limit pass, however the bytes are split, and one byte more is refused by name", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 8 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
      (lengths, steps) => {
        const check = framedMessageCheck(30);
        const body = Buffer.concat(lengths.map(frame));
        let refused: string | undefined;
        for (let offset = 0; offset < body.length && refused === undefined; ) {
          const step = steps.next().value;
          refused = check(body.subarray(offset, offset + step))?.error.message;
          offset += step;
        }
        const tooLarge = lengths.find((length) => length > 30);
        if (tooLarge === undefined) expect(refused).toBeUndefined();
        else expect(refused).toContain(`${tooLarge} bytes is larger than 30 bytes (max-message-bytes)`);
      },
    ),
  );
});

test("what came of the messages before the one that is refused is told", () => {
  const body = Buffer.concat([frame(10), frame(0), frame(31)]);
  expect(framedMessageCheck(30)(body)?.goodBytes).toBe(20);
  const check = framedMessageCheck(30);
  expect(check(body.subarray(0, 7))).toBeUndefined();
  expect(check(body.subarray(7))?.goodBytes).toBe(13);
  const late = framedMessageCheck(30);
  expect(late(body.subarray(0, 22))).toBeUndefined();
  expect(late(body.subarray(22))?.goodBytes).toBe(0);
});

test("a frame is refused by its length, before its bytes come", () => {
  expect(framedMessageCheck(30)(frame(31).subarray(0, 5))?.error.message).toContain("max-message-bytes");
});

test("a body is refused by its announced length at once, and by its bytes where none was announced", () => {
  expect(wholeBodyCheck(10, "11")(new Uint8Array(0))?.error.message).toContain("11 bytes");
  const check = wholeBodyCheck(10, undefined);
  expect(check(new Uint8Array(10))).toBeUndefined();
  expect(check(new Uint8Array(1))?.error.message).toContain("max-message-bytes");
});
