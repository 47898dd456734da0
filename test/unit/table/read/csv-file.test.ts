import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readTable, tableFolder } from "../../../support/tables/table-folder.ts";

const folder = tableFolder();
const read = (name: string, content: string | Uint8Array, csv = {}) =>
  readTable({ inputs: [folder.write(name, content)], csv });

test("every value is text as it stands: empty is null, quoted empty is empty", async () => {
  const table = await read(
    "excel.csv",
    '\ufeffid;"name";x\r\n1;"a;\r\nb";""\r\n2;;39,5\r\n\r\n3;"q""q"; NA\r\n',
  );
  expect(table.names).toEqual(["id", "name", "x"]);
  expect(table.types).toEqual(["VARCHAR", "VARCHAR", "VARCHAR"]);
  expect(table.rows).toEqual([
    ["1", "a;\r\nb", ""],
    ["2", null, "39,5"],
    ["3", 'q"q', " NA"],
  ]);
});

test("without a header every record is a row", async () => {
  const table = await read("plain.csv", "1,2\n3,4\n", { header: false });
  expect(table).toMatchObject({
    names: ["column0", "column1"],
    rows: [
      ["1", "2"],
      ["3", "4"],
    ],
  });
});

test("Latin-1 is read when told, and named with its line when not", async () => {
  const bytes = Buffer.from('name,b\n"x\ny",1\nk\xe4se,2\n', "latin1");
  expect((await read("l.csv", bytes, { encoding: "latin-1" })).rows).toEqual([
    ["x\ny", "1"],
    ["käse", "2"],
  ]);
  await expect(read("l.csv", bytes)).rejects.toThrow(/l\.csv, line 4: .*--csv-encoding latin-1/);
});

test("UTF-16 and packed files are read", async () => {
  expect((await read("u.csv", Buffer.from("\ufeffa,b\nkäse,1\n", "utf16le"))).rows).toEqual([["käse", "1"]]);
  expect((await read("z.csv.gz", gzipSync("a,b\n1,2\n"))).rows).toEqual([["1", "2"]]);
});

test("a packed file that is cut off is refused, not read as far as it goes", async () => {
  const packed = gzipSync(`a,b\n${"1,2\n".repeat(5000)}`);
  for (const end of [packed.length >> 1, packed.length - 4]) {
    await expect(read("cut.csv.gz", packed.subarray(0, end))).rejects.toThrow(
      /cut\.csv\.gz is cut off: its end is missing/,
    );
  }
  await expect(read("text.csv.gz", "a,b\n1,2\n")).rejects.toThrow(
    /text\.csv\.gz is no gzip file, though its name ends in \.gz: it begins with the text/,
  );
});

test("quotes may be others, or none", async () => {
  expect((await read("q.csv", "a,b\n'1,2',3\n", { quote: "'" })).rows).toEqual([["1,2", "3"]]);
  expect((await read("n.csv", 'a,b\n"1,2"\n', { quote: "" })).rows).toEqual([['"1', '2"']]);
});

test("blank lines before the header and between rows hold nothing", async () => {
  expect((await read("b.csv", "\n\na,b\n\n1,2\n\n\n3,4\n")).rows).toEqual([
    ["1", "2"],
    ["3", "4"],
  ]);
});

test.each([
  ["too few", 'a,b\n"1\n1",2\n\n3\n', /few.*\.csv, line 5 has 1 value, and the first line 2 values/],
  ["too many", "a,b\n1,2\n1,2,3\n", /\.csv, line 3 has 3 values, and the first line 2 values/],
  ["open quote", 'a,b\n1,2\n"1,2\n', /\.csv, line 3: a quoted value does not end/],
  ["after quote", 'a,b\n1,2\n"1"x,2\n', /\.csv, line 3: a quoted value does not end, or has text after/],
  ["mixed ends", "a,b\r\n1,2\n3,4\r\n", /\.csv is not CSV as told: its lines end in different ways/],
  ["empty", "", /\.csv is empty: a header line is expected/],
])("%s: an error names file and line", async (name, content, message) => {
  await expect(read(`${name}.csv`, content)).rejects.toThrow(message);
});

test("a mistake far into a large file is not taken for its end", async () => {
  const content = `a,b\n${'1,"x\ny"\n'.repeat(600_000)}3\n`;
  await expect(read("large.csv", content)).rejects.toThrow(/large\.csv, line 1200002 has 1 value/);
});

test("names are exact, and one that stands twice cannot be read", async () => {
  const path = folder.write("twice.csv", 'a,A,a,"b ""c\'"\n1,2,3,4\n');
  expect((await readTable({ inputs: [path] }, { columns: ["A", "b \"c'"] })).rows).toEqual([["2", "4"]]);
  await expect(readTable({ inputs: [path] }, { columns: ["a"] })).rejects.toThrow(
    /twice\.csv has more than one column "a"/,
  );
});

test("a thousand columns, one with a very long name", async () => {
  const names = Array.from({ length: 1000 }, (_, index) => (index === 7 ? "n".repeat(5000) : `c${index}`));
  const table = await read("wide.csv", `${names.join()}\n${names.map((_, index) => index).join()}\n`);
  expect(table.names).toEqual(names);
  expect(table.rows[0]).toEqual(names.map((_, index) => String(index)));
});
