import fc from "fast-check";
import { expect, test } from "vitest";
import { COMMA, POINT, parseNumber } from "../../../../src/job/encode/cell-number.ts";

const GRAMMAR = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const utf8 = new TextEncoder();

/** Parses a text that lies between other bytes. */
function parse(text: string, separator = POINT): number {
  const bytes = utf8.encode(`7${text}7`);
  return parseNumber(bytes, 1, bytes.length - 1, separator);
}

const reference = (text: string) => (GRAMMAR.test(text) ? Number(text) : Number.NaN);

const digits = fc.stringMatching(/^\d{0,25}$/);
const spelled = fc
  .tuple(
    fc.constantFrom("", "+", "-"),
    digits,
    fc.constantFrom("", "."),
    digits,
    fc.option(
      fc.tuple(fc.constantFrom("e", "E"), fc.constantFrom("", "+", "-"), fc.stringMatching(/^\d{0,4}$/)),
    ),
  )
  .map(
    ([sign, whole, point, fraction, exponent]) => sign + whole + point + fraction + (exponent ?? []).join(""),
  );

test("spelled numbers are read as JavaScript reads them, to the last bit", () => {
  fc.assert(
    fc.property(spelled, (text) => {
      expect(parse(text)).toBe(reference(text));
    }),
    { numRuns: 5000 },
  );
});

test("every double comes back from its shortest spelling", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(parse(Object.is(value, -0) ? "-0" : String(value))).toBe(value);
    }),
    { numRuns: 2000 },
  );
});

test("texts of the signs that numbers are made of are numbers only by the grammar", () => {
  const noise = fc.array(fc.constantFrom(..."0123456789+-.,eExX_ a'∞٣")).map((signs) => signs.join(""));
  fc.assert(
    fc.property(noise, (text) => {
      expect(parse(text)).toBe(reference(text));
    }),
    { numRuns: 5000 },
  );
});

test("a decimal comma takes the place of the point", () => {
  fc.assert(
    fc.property(spelled, (text) => {
      expect(parse(text.replace(".", ","), COMMA)).toBe(reference(text));
      if (text.includes(".")) expect(parse(text, COMMA)).toBeNaN();
    }),
    { numRuns: 2000 },
  );
});

test.each([
  "0x10",
  "NA",
  "39,5",
  "1_000",
  "inf",
  "Infinity",
  "nan",
  "",
  "-",
  ".",
  "1e",
  "e5",
  "1.2.3",
  "--1",
  "1-",
  "1 ",
  " 1",
  "1f",
  "0b1",
])("%j is no number", (text) => {
  expect(parse(text)).toBeNaN();
});
