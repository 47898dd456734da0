import { expect, test } from "vitest";
import { csvDialect, detectDelimiter, splitRecords } from "../../../../src/table/read/csv-dialect.ts";

test.each([
  ["a,b,c\n1,2,3\n", ","],
  ["a;b\n1,5;2,5\n", ";"],
  ["39,5;1,5;2\n3,5;1,25;4\n", ";"],
  ["a\tb\n1,2\t3\n", "\t"],
  ["a|b\n1|2\n", "|"],
  ["name,tags\nann,x;y\nbob,z\n", ","],
  ['"a;b",c\n"1;2",3\n', ","],
  ["a,b,c\n1,2,3\n4,5\n6,7,8\n", ","],
  ["alone\n1\n", ","],
  ["", ","],
])("%j is split by %j", (text, delimiter) => {
  expect(detectDelimiter(text, '"')).toBe(delimiter);
});

test("records keep line ends, delimiters and doubled quotes that are quoted", () => {
  const text = 'id,"na""me"\r\n1,"a,\r\nb"\r\n\r\n2,\r\n';
  expect(splitRecords(text, ",", '"', 9)).toEqual([
    ["id", 'na"me'],
    ["1", "a,\r\nb"],
    ["2", ""],
  ]);
});

test("a header without an end is taken, a last record without one is not", () => {
  expect(splitRecords("a,b", ",", '"', 9)).toEqual([["a", "b"]]);
  expect(splitRecords("a,b\n1,", ",", '"', 9)).toEqual([["a", "b"]]);
});

test("names come from the first record, or are numbered", () => {
  const dialect = csvDialect("x.csv", Buffer.from("\ufeff\n\n,age\n1,2\n"), {});
  expect(dialect).toMatchObject({ names: ["column0", "age"], skippedLines: 2, encoding: "utf-8" });
  expect(csvDialect("x.csv", Buffer.from("a,b\n"), { header: false }).names).toEqual(["column0", "column1"]);
});

test.each([
  ["sep=;\r\na;b\r\n1,5;2\r\n", ";"],
  ['"sep=|"\na|b\n1,5|2\n', "|"],
  ["\ufeffsep=\t\na\tb\n1,5\t2\n", "\t"],
])("a first line that Excel writes for itself says the delimiter and is no header: %j", (text, delimiter) => {
  expect(csvDialect("x.csv", Buffer.from(text), {})).toMatchObject({
    delimiter,
    names: ["a", "b"],
    skippedLines: 1,
  });
});

test.each([
  ["sep=;\r\na;b\n1;2\n", "CRLF and LF"],
  ["sep=;\na;b\r\n1;2\r\n", "LF and CRLF"],
  ['\r\n"a\r\nc";b\n1;2\n', "CRLF and LF"],
  ["\n\r\na;b\r\n", "LF and CRLF"],
])(
  "first lines that end in another way than the header are refused, as no row would be found: %j",
  (text, ends) => {
    expect(() => csvDialect("x.csv", Buffer.from(text), {})).toThrow(
      new RegExp(`^x\\.csv: its first lines, .* \\(${ends}\\); store it with one kind of line end`),
    );
  },
);

test("a header that is not UTF-8 is refused with what to say", () => {
  const head = Buffer.from("gr\xf6\xdfe,b\n1,2\n", "latin1");
  expect(() => csvDialect("x.csv", head, {})).toThrow(/x\.csv, line 1: .*--csv-encoding latin-1/);
  expect(csvDialect("x.csv", head, { encoding: "latin-1" }).names).toEqual(["größe", "b"]);
});

test("what is told is checked and taken", () => {
  expect(csvDialect("x.csv", Buffer.from("a,b;c\n"), { delimiter: ";" }).names).toEqual(["a,b", "c"]);
  expect(csvDialect("x.csv", Buffer.from("a,b\tc\n"), { delimiter: "\\t" }).names).toEqual(["a,b", "c"]);
  expect(csvDialect("x.tsv", Buffer.from("a,b\n"), {}).names).toEqual(["a,b"]);
  expect(csvDialect("x.csv", Buffer.from('"a,b"\n'), { quote: "", delimiter: "," }).names).toEqual([
    '"a',
    'b"',
  ]);
  expect(() => csvDialect("x.csv", Buffer.from("a"), { delimiter: "::" })).toThrow(/not one ASCII character/);
  expect(() => csvDialect("x.csv", Buffer.from("a"), { quote: "«" })).toThrow(/not one ASCII character/);
});
