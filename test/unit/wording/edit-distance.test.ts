import fc from "fast-check";
import { expect, test } from "vitest";
import { distanceWithin } from "../../../src/wording/edit-distance.ts";

/** The whole table, as textbooks have it. */
function wholeTable(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(table[i - 1]![j]! + 1, table[i]![j - 1]! + 1, table[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, table[i - 2]![j - 2]! + 1);
      }
      table[i]![j] = least;
    }
  }
  return table[a.length]![b.length]!;
}

test("within its limit the distance is that of the whole table, and above it only that", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });
  fc.assert(
    fc.property(text, text, fc.nat(8), (a, b, limit) => {
      const distance = wholeTable(a, b);
      const found = distanceWithin(a, b, limit);
      if (distance <= limit) expect(found).toBe(distance);
      else expect(found).toBeGreaterThan(limit);
    }),
    { numRuns: 5000 },
  );
});

test.each([
  ["", "", 0, 0],
  ["ab", "ba", 1, 1],
  ["age", "wage", 1, 1],
  ["x".repeat(512), "x".repeat(511), 3, 1],
])("%s and %s are %i apart at most", (a, b, limit, distance) => {
  expect(distanceWithin(a, b, limit)).toBe(distance);
});

test("what is too long is never near", () => {
  expect(distanceWithin("x".repeat(513), "x".repeat(513), 5)).toBeGreaterThan(5);
});
