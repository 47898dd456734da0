import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonText } from "../../../../src/edge/json/json-text.ts";
import { numberList } from "../../../../src/edge/json/number-list.ts";

/** What a text is, or why it is none. Spaces in front of the values make it too long to be read at once. */
function read(list: string, spaces: number): unknown {
  const json = new JsonText(`{"a":[${" ".repeat(spaces)}${list}]}`, {
    maxMessageBytes: 2 ** 24,
    maxHeapBytes: 2 ** 27,
  });
  try {
    while (!json.run());
    return json.value;
  } catch (error) {
    return String(error).replace(/character \d+/, "character N");
  }
}

const written = fc.oneof(
  fc.double().map(String),
  fc.integer().map(String),
  fc.bigInt().map(String),
  fc.constantFrom(
    "-0",
    "0.0",
    "1e3",
    "1E-7",
    "1e400",
    "9007199254740991",
    "9007199254740992",
    "123456789012345678",
  ),
  fc.constantFrom("01", "1.", ".5", "+1", "-", "1e", "--1", "1 2", "", "NaN", '"a"', "null", "[1]", "1,"),
  fc.constantFrom("1".repeat(1200), `0.${"1".repeat(2500)}`, `0.${"1".repeat(400)}`),
);

test("a list that is read at once is the list that is read value by value, or refused in the same words", () => {
  fc.assert(
    fc.property(
      fc.array(written, { maxLength: 6 }),
      fc.constantFrom(",", " , ", ",\n\t"),
      (values, comma) => {
        const list = values.join(comma);
        expect(read(list, 0)).toStrictEqual(read(list, 5000));
      },
    ),
    { numRuns: 3000 },
  );
});

test("numbers alone are read at once, up to the end of their list", () => {
  const text = `{"features": [1, -2.5e3,\n0.25], "b": 1}`;
  const list = numberList(text, text.indexOf("["));
  expect(list?.values).toEqual([1, -2500, 0.25]);
  expect(text.slice(list!.end)).toBe(', "b": 1}');
});

test.each([
  "[]",
  "[1",
  "[[1]]",
  '["1"]',
  "[true]",
  "[1,]",
  "[1,[2]]",
  "[1,{}]",
  "[1,null]",
  "[9007199254740993]",
  `[${"1,".repeat(3000)}1]`,
])("what is no such list, or a long one, is left to be read value by value: %.20s", (text) => {
  expect(numberList(text, 0)).toBeUndefined();
});
