import fc from "fast-check";
import { expect, test } from "vitest";
import { highestPlaces } from "../../../../../src/edge/inference/answer/highest-places.ts";
import type { NumericArray } from "../../../../../src/tensor/datatype.ts";

function found(values: NumericArray, count: number, read?: (value: number) => number) {
  const search = highestPlaces(values, count, read);
  let yields = 0;
  for (;;) {
    const step = search.next();
    if (step.done) return { places: Array.from(step.value), yields };
    yields++;
  }
}

/** By the comparison of all with all. */
function expected(values: ArrayLike<number | bigint>, count: number): number[] {
  const places = Array.from({ length: values.length }, (_, place) => place);
  const isNone = (place: number) => Number(Number.isNaN(values[place]));
  places.sort((a, b) => {
    if (isNone(a) + isNone(b) > 0) return isNone(a) - isNone(b) || a - b;
    return values[a]! > values[b]! ? -1 : values[a]! < values[b]! ? 1 : a - b;
  });
  return places.slice(0, count);
}

test("the highest come first, of equals the first, and NaN last, of any number of values", () => {
  const few = fc.constantFrom(0, -0, 1, 2, 0.5, Number.NaN, Number.NEGATIVE_INFINITY);
  fc.assert(
    fc.property(fc.array(few, { maxLength: 40 }), fc.nat(50), (list, count) => {
      const values = Float64Array.from(list);
      expect(found(values, count).places).toEqual(expected(values, count));
    }),
  );
  const integers = BigInt64Array.of(5n, -1n, 2n ** 62n, 5n);
  expect(found(integers, 3).places).toEqual([2, 0, 3]);
  expect(found(Uint16Array.of(1, 2, 3), 2, (value) => -value).places).toEqual([0, 1]);
});

test.each([1, 7, 30_000])("%i of 30,000 are found in pieces", (count) => {
  const values = Float32Array.from({ length: 30_000 }, (_, i) => (i * 7919) % 4001);
  const { places, yields } = found(values, count);
  expect(places).toEqual(expected(values, count));
  expect(yields).toBeGreaterThan(count === 1 ? -1 : 6);
});
