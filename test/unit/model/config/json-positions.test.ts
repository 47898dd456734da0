import fc from "fast-check";
import { expect, test } from "vitest";
import { parseLocatedJson, plainJson } from "../../../../src/model/config/json-positions.ts";

test("any JSON text means what JSON.parse says", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      expect(JSON.stringify(plainJson(parseLocatedJson(text)))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test("text that JSON.parse refuses is refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:01-.e \\nult') }), (text) => {
      let wanted: string | undefined;
      try {
        wanted = JSON.stringify(JSON.parse(text));
      } catch {
        wanted = undefined;
      }
      if (wanted === undefined) expect(() => parseLocatedJson(text)).toThrow(/line \d+, column \d+/);
      else expect(JSON.stringify(plainJson(parseLocatedJson(text)))).toBe(wanted);
    }),
    { numRuns: 2000 },
  );
});

test("a byte order mark is skipped, and nesting without end is refused", () => {
  expect(plainJson(parseLocatedJson("\uFEFF[1]"))).toEqual([1]);
  expect(() => parseLocatedJson("[".repeat(10_000))).toThrow(/nested deeper/);
});
