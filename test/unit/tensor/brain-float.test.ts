import fc from "fast-check";
import { expect, test } from "vitest";
import { bfloatToNumber, numberToBfloat } from "../../../src/tensor/float-bits.ts";

test("every bfloat16 is the number whose nearest bfloat16 it is", () => {
  for (let bits = 0; bits < 65_536; bits++) {
    const value = bfloatToNumber(bits);
    if (Number.isNaN(value)) expect(numberToBfloat(value)).toBe(0x7fc0);
    else if (numberToBfloat(value) !== bits) expect([bits, numberToBfloat(value)]).toEqual([bits, bits]);
  }
});

test("a number becomes the nearer of its two neighbours, the even one of two that are as near", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0x7f7e }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (bits, part) => {
        const lower = bfloatToNumber(bits);
        const upper = bfloatToNumber(bits + 1);
        const value = lower + (upper - lower) * part;
        const [down, up] = [value - lower, upper - value];
        const expected = down < up ? bits : up < down ? bits + 1 : bits + (bits & 1);
        expect(numberToBfloat(value)).toBe(expected);
        expect(numberToBfloat(-value)).toBe(expected | 0x8000);
      },
    ),
    { numRuns: 5_000 },
  );
});

test.each([
  [1 + 2 ** -8, 0x3f80],
  [1 + 2 ** -8 + 2 ** -40, 0x3f81],
  [1 + 3 * 2 ** -8, 0x3f82],
  [1 + 3 * 2 ** -8 - 2 ** -40, 0x3f81],
  [3.39e38, 0x7f7f],
  [3.4e38, 0x7f80],
  [1e300, 0x7f80],
  [-1e300, 0xff80],
  [2 ** -133, 0x0001],
  [2 ** -135, 0x0000],
])("%d is rounded once", (value, bits) => {
  expect(numberToBfloat(value)).toBe(bits);
});
