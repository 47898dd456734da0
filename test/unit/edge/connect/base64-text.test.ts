import fc from "fast-check";
import { expect, test } from "vitest";
import { createBase64Decoder, encodeBase64 } from "../../../../src/edge/connect/base64-text.ts";

test("what was encoded in pieces and split anywhere is decoded", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
      (pieces, steps) => {
        const text = Buffer.concat(pieces.map(encodeBase64));
        const decoder = createBase64Decoder();
        const decoded: Uint8Array[] = [];
        for (let offset = 0, i = 0; offset < text.length; i++) {
          const step = steps[i % steps.length]!;
          decoded.push(decoder.decode(text.subarray(offset, offset + step), false));
          offset += step;
        }
        decoded.push(decoder.decode(new Uint8Array(0), true));
        expect(Buffer.concat(decoded)).toEqual(Buffer.concat(pieces));
      },
    ),
  );
});

test.each(["A", "AAAAA", "A===", "AA-A", "====", "AA=A"])("%s is refused", (text) => {
  expect(() => createBase64Decoder().decode(Buffer.from(text), true)).toThrow(RangeError);
});
