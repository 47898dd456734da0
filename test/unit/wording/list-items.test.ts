import fc from "fast-check";
import { expect, test } from "vitest";
import { listItem, readListItems } from "../../../src/wording/list-items.ts";

test.each([
  ["", []],
  ["id, day ,,", ["id", "day"]],
  ['"a,b",c', ["a,b", "c"]],
  ['c , "a,b" ', ["c", "a,b"]],
  ['"say ""hi"""', ['say "hi"']],
  ['" a ",""', [" a ", ""]],
  ['5" pipe,6"', ['5" pipe', '6"']],
  ['"x=a,b",y=c', ["x=a,b", "y=c"]],
  ['"a,b', undefined],
  ['"a"b,c', undefined],
  ['c, "a"b', undefined],
])("the list %s", (text, items) => {
  expect(readListItems(text)).toEqual(items);
});

test("whatever items are, their list is read as them", () => {
  const items = fc.array(fc.string({ minLength: 1, unit: fc.constantFrom("a", ",", '"', " ", "=", "é") }));
  fc.assert(
    fc.property(items, (all) => {
      expect(readListItems(all.map(listItem).join(","))).toEqual(all);
    }),
  );
});
