import fc from "fast-check";
import { expect, test } from "vitest";
import { type ExactJson, JsonText } from "../../../../src/edge/json/json-text.ts";

const LIMITS = { maxMessageBytes: 2 ** 24, maxHeapBytes: 2 ** 27 };

/** As JSON.parse has them: beyond 2^53 rounded. */
function rounded(value: ExactJson): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, rounded(inner)]));
}

function parse(text: string, valuesAtOnce = 2048) {
  const json = new JsonText(text, LIMITS);
  while (!json.run(valuesAtOnce));
  return json;
}

test("it reads what JSON.parse reads, however often it stops", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.nat(5), fc.nat(2), (text, atOnce, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), undefined, indent);
      expect(rounded(parse(spaced, atOnce + 1).value)).toEqual(JSON.parse(text));
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer())),
      (numbers) => {
        const text = JSON.stringify(numbers);
        expect(rounded(parse(text).value)).toEqual(JSON.parse(text));
      },
    ),
    { numRuns: 1000 },
  );
});

test("what is no JSON is refused as JSON.parse refuses it", () => {
  const damage = fc.record({
    at: fc.nat(),
    text: fc.constantFrom("", '"', "\\", "{", "]", ",", ":", "0", "-", ".", "e", "\n"),
  });
  fc.assert(
    fc.property(fc.json(), damage, (text, { at, text: piece }) => {
      const place = at % (text.length + 1);
      const damaged = text.slice(0, place) + piece + text.slice(place + 1);
      let expected: unknown;
      try {
        expected = JSON.parse(damaged);
      } catch {
        expect(() => parse(damaged)).toThrow(/JSON decode error at character \d+: /);
        return;
      }
      try {
        expect(rounded(parse(damaged).value)).toEqual(expected);
      } catch (error) {
        expect(String(error)).toMatch(/stands twice/);
      }
    }),
    { numRuns: 3000 },
  );
});

test("__proto__ is a member like any other", () => {
  const value = parse('{"__proto__":{"a":1}}').value as object;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.keys(value)).toEqual(["__proto__"]);
});

test("whole numbers beyond 2^53 are bigints, all other numbers are JSON.parse's", () => {
  const text =
    "[9007199254740991,9007199254740992,-9007199254740993,1e20,1E+2,1e400,9007199254740993.5,0.1,-0]";
  expect(parse(text).value).toEqual([
    9007199254740991,
    9007199254740992n,
    -9007199254740993n,
    10n ** 20n,
    100,
    Number.POSITIVE_INFINITY,
    9007199254740994,
    0.1,
    -0,
  ]);
});

test.each<[string, string, RegExp]>([
  ["depth", `${"[".repeat(101)}0${"]".repeat(101)}`, /nest deeper than 100/],
  ["members", `{${Array.from({ length: 16_385 }, (_, i) => `"m${i}":0`).join()}}`, /more than 16384 members/],
  ["memory", `[${"{},".repeat(3_000_000)}0]`, /takes \d+ MiB of memory or more once it is decoded/],
])("%s is bounded while the text is read", (_, text, message) => {
  expect(() => parse(text)).toThrow(message);
});

test("an error is short, whatever came", () => {
  for (const text of [
    `{"${"a".repeat(100_000)}":1,"${"a".repeat(100_000)}":1}`,
    `[${"b".repeat(100_000)}]`,
  ]) {
    let message = "";
    try {
      parse(text);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.length).toBeGreaterThan(10);
    expect(message.length).toBeLessThan(300);
  }
});

/** Escapes of every kind, over and over, of about so many characters. */
const escapes = (length: number) => String.raw`\u00e4\n\"x\\\/\ud83d\ude00`.repeat(Math.ceil(length / 32));

test("a long text with escapes is read in pieces, none of which cuts an escape", () => {
  for (let shift = 0; shift < 12; shift++) {
    const quoted = `["${"y".repeat(shift)}${escapes(400_000)}",1]`;
    const json = new JsonText(quoted, LIMITS);
    let steps = 1;
    while (!json.run()) steps++;
    expect(steps).toBeGreaterThan(2);
    expect(json.value).toEqual(JSON.parse(quoted));
  }
});

test.each<[string, string, RegExp]>([
  ["a wrong escape far into a text", `"${escapes(300_000)}\\q"`, /a backslash that no escape follows/],
  ["a text that does not end", `"${escapes(300_000)}`, /a text does not end/],
  ["a line break in a text", `"${escapes(300_000)}\n"`, /a control character/],
  ["a member's name without an end in sight", `{"${escapes(2_000_000)}":1}`, /more than 1048576 characters/],
])("%s is refused", (_, text, message) => {
  expect(() => parse(text)).toThrow(message);
});

test("a member's name may be long and have escapes", () => {
  const text = `{"${escapes(300_000)}":[1]}`;
  expect(parse(text).value).toEqual(JSON.parse(text));
});

test("a list is counted with the room that V8 gives it for its first values: seventeen", () => {
  const many = (list: string) => parse(`[${`${list},`.repeat(9999)}${list}]`).heapBytes;
  // Measured: 184 bytes for a list with one value, 32 without, and 8 for its place.
  expect(many("[true]") / 10_000).toBeGreaterThan(184);
  expect(many("[true]") / 10_000).toBeLessThan(1.2 * 192);
  expect(many("[]") / 10_000).toBeLessThan(48);
});
