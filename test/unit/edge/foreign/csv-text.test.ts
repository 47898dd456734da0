import { expect, test } from "vitest";
import { type CsvRecord, CsvText } from "../../../../src/edge/foreign/csv-text.ts";

function records(text: string): CsvRecord[] {
  const csv = new CsvText(text);
  const found: CsvRecord[] = [];
  for (let record = csv.next(); record !== undefined && found.length < 100; record = csv.next())
    found.push(record);
  return found;
}

const cells = (text: string) => records(text).map((record) => [...record.cells]);

test.each<[string, string[][]]>([
  [
    "a,b\n1,2",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  [
    "a,b\r\n1,2\r\n",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  ["a\r1\r", [["a"], ["1"]]],
  ["\ufeffa\n\n\n1\n", [["a"], ["1"]]],
  [
    ",a\n0,1",
    [
      ["", "a"],
      ["0", "1"],
    ],
  ],
  [
    '"a,b","c ""d"""\n"x\ny",',
    [
      ["a,b", 'c "d"'],
      ["x\ny", ""],
    ],
  ],
  ['"a"b,c', [["ab", "c"]]],
  ["a,", [["a", ""]]],
  ["", []],
  ["\n\r\n", []],
])("%j has the records %j", (text, expected) => {
  expect(cells(text)).toEqual(expected);
});

test("a record tells the line on which it begins, whatever stands in quotes before it", () => {
  expect(records('a\n"x\ny"\n\nb').map(({ line }) => line)).toEqual([1, 2, 5]);
});

test.each<[string, string]>([
  ['a\n"b', "a text in quotes does not end"],
  [`a\n"${"x".repeat(1_048_577)}"`, "a text in quotes has more than 1048576 characters"],
  [",".repeat(20_000), "the line has more than 16384 columns"],
])("what is no CSV is told", (text, fault) => {
  expect(records(text).find((record) => record.fault !== undefined)?.fault).toBe(fault);
});

test("very many blank lines are passed over in pieces", () => {
  const found = records(`${"\n".repeat(200_000)}a`);
  expect(found.map((record) => record.cells.length)).toEqual([0, 0, 0, 1]);
  expect(found.at(-1)!.line).toBe(200_001);
});
