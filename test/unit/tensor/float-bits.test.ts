import fc from "fast-check";
import { expect, test } from "vitest";
import { halfToNumber, numberToHalf } from "../../../src/tensor/float-bits.ts";

test.each([
  [0x0000, 0],
  [0x3c00, 1],
  [0xc000, -2],
  [0x7bff, 65504],
  [0x0001, 2 ** -24],
  [0x0400, 2 ** -14],
  [0x3555, 0.333251953125],
])("bits %i are %d", (bits, value) => {
  expect(halfToNumber(bits)).toBe(value);
  expect(numberToHalf(value)).toBe(bits);
});

test("every finite half survives the way there and back", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    if ((bits & 0x7c00) === 0x7c00) continue;
    if (numberToHalf(halfToNumber(bits)) !== bits) expect.unreachable(`0x${bits.toString(16)}`);
  }
});

test("rounding goes to the nearest half, ties to even", () => {
  fc.assert(
    fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
      const bits = numberToHalf(value);
      const error = Math.abs(halfToNumber(bits) - value);
      for (const neighbour of [bits - 1, bits + 1]) {
        if ((neighbour & 0x7c00) === 0x7c00 || (neighbour ^ bits) & 0x8000 || neighbour < 0) continue;
        if (Math.abs(halfToNumber(neighbour) - value) < error) return false;
      }
      return true;
    }),
  );
  expect(numberToHalf(2049)).toBe(numberToHalf(2048));
  expect(numberToHalf(65520)).toBe(0x7c00);
  expect(Number.isNaN(halfToNumber(numberToHalf(Number.NaN)))).toBe(true);
});
