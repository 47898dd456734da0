import { chmodSync } from "node:fs";
import { expect, test } from "vitest";
import { openSource } from "../../../../src/table/read/open-source.ts";
import { readTable, tableFolder } from "../../../support/tables/table-folder.ts";

const folder = tableFolder();
for (const name of ["a[1].csv", "a1.csv", "b*.csv", "bx.csv", "c?.csv", "it's.csv", "#e.csv", "größe.csv"]) {
  folder.write(`names/${name}`, `v\n${name}\n`);
}
const open = (...inputs: string[]) =>
  openSource({ inputs: inputs.map((input) => `${folder.path}/${input}`) });

test("a glob's files are sorted, and names with its characters are read as they are", async () => {
  const table = await readTable({ inputs: [`${folder.path}/names/*.csv`] });
  expect(table.rows.map(([value]) => value)).toEqual([
    "#e.csv",
    "a1.csv",
    "a[1].csv",
    "b*.csv",
    "bx.csv",
    "c?.csv",
    "größe.csv",
    "it's.csv",
  ]);
});

test("files keep the order in which they are named, and what a manifest needs", async () => {
  const source = await open("names/bx.csv", "names/a*.csv");
  expect(source.inputs.map(({ name }) => name.slice(folder.path.length))).toEqual([
    "/names/bx.csv",
    "/names/a1.csv",
    "/names/a[1].csv",
  ]);
  expect(source.inputs[0]).toMatchObject({ sizeBytes: 9 });
  expect(Math.abs(Date.now() - source.inputs[0]!.modifiedAtMs)).toBeLessThan(600_000);
  source.close();
});

test.each([
  [
    "no match",
    ["names/*.parquet"],
    /no file matches .*names\/\*\.parquet; the folder .*names holds #e\.csv, .* and 3 more/,
  ],
  ["near", ["names/a2.csv"], /there is no file .*names\/a2\.csv; did you mean "a1\.csv"\?/],
  ["no folder", ["nowhere/x.csv"], /there is no file .*; there is no folder .*nowhere that can be read/],
  ["folder", ["names"], /names is a folder; name its files: --input '.*names\/\*\.csv'/],
  ["twice", ["names/a1.csv", "names/a*.csv"], /names\/a1\.csv is named twice/],
  ["ending", ["names/x.bin"], /there is no file .*x\.bin/],
])("%s: the error says what there is", async (_, inputs, message) => {
  await expect(open(...inputs)).rejects.toThrow(message);
});

test("a file whose ending tells nothing, and files of different formats, need to be told", async () => {
  folder.write("x.bin", "a\n1\n");
  folder.write("x.json", '{"a":1}\n');
  await expect(open("x.bin")).rejects.toThrow(
    /the ending of .*x\.bin does not tell its format; say --input-format/,
  );
  await expect(open("x.json", "names/a1.csv")).rejects.toThrow(/x\.json is ndjson and .*a1\.csv is csv/);
  expect((await readTable({ inputs: [`${folder.path}/x.bin`], format: "csv" })).rows).toEqual([["1"]]);
});

test("a file on another machine is not fetched", async () => {
  for (const input of ["https://example.com/x.parquet", "s3://bucket/*.parquet"]) {
    await expect(openSource({ inputs: [input] })).rejects.toThrow(input);
  }
});

test("a file without permission is named; root, who may read everything, gets what is in it", async () => {
  const isRoot = process.getuid?.() === 0;
  for (const [name, format] of [
    ["p.csv", "csv"],
    ["p.parquet", "parquet"],
    ["p.ndjson", "ndjson"],
    ["p.arrow", "arrow"],
  ] as const) {
    chmodSync(folder.write(name, "a\n"), 0);
    const opened = openSource({ inputs: [`${folder.path}/${name}`], format });
    // Of the four only CSV holds what its format says.
    if (isRoot && format === "csv") (await opened).close();
    else await expect(opened).rejects.toThrow(name);
  }
});

test.each(["parquet", "arrow"] as const)("a text named as %s is refused by name", async (format) => {
  folder.write("text.csv", "a,b\n1,2\n");
  await expect(openSource({ inputs: [`${folder.path}/text.csv`], format })).rejects.toMatchObject({
    message: expect.stringMatching(
      /text\.csv (is no Parquet file: it begins with the text|cannot be read as Arrow)/,
    ),
    reason: 20,
  });
  folder.write("nothing.csv", "");
  await expect(openSource({ inputs: [`${folder.path}/nothing.csv`], format })).rejects.toThrow(
    /nothing\.csv (is no Parquet file: it is empty|cannot)/,
  );
});
