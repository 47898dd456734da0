import { expect, test } from "vitest";
import { openSource } from "../../../../src/table/read/open-source.ts";
import { readRows, readTable, tableFolder } from "../../../support/tables/table-folder.ts";

const folder = tableFolder();

test("files follow one another, whatever the order of their columns, and are read from any row on", async () => {
  folder.write("many/x", "");
  for (const [index, rows] of [3000, 0, 1, 2500].entries()) {
    const columns = index % 2 === 0 ? "range AS n, 'x' AS s" : "'x' AS s, range AS n";
    await folder.writeParquet(`many/${index}.parquet`, `SELECT ${columns} FROM range(${rows})`);
  }
  const source = await openSource({ inputs: [`${folder.path}/many/*.parquet`] });
  expect(source.inputs.map(({ name }) => name.at(-9))).toEqual(["0", "1", "2", "3"]);
  expect(source.rowCount).toBe(5501);
  const all = await readRows(source, ["n", "s"]);
  expect(all.map(([n]) => Number(n))).toEqual(
    [3000, 1, 2500].flatMap((rows) => Array.from({ length: rows }, (_, n) => n)),
  );
  for (const fromRow of [2999, 3000, 3001, 5500, 5501]) {
    expect(await readRows(source, ["n", "s"], fromRow)).toEqual(all.slice(fromRow));
  }
  source.close();
});

test("CSV files, whose rows are not counted beforehand, are read from any row on", async () => {
  const inputs = [2100, 3, 1].map((rows, file) =>
    folder.write(
      `counted/${file}.csv`,
      `n;f\n${Array.from({ length: rows }, (_, row) => `${row};"${file}\n"\n`).join("")}`,
    ),
  );
  const all = (await readTable({ inputs })).rows;
  expect(all).toHaveLength(2104);
  for (const fromRow of [2099, 2100, 2102, 2103, 2104]) {
    expect((await readTable({ inputs }, { fromRow })).rows).toEqual(all.slice(fromRow));
  }
});

test("a chunk says which file and row of it it begins with", async () => {
  const inputs = [folder.write("first.csv", "a\n1\n2\n"), folder.write("second.csv", "a\n3\n4\n")];
  const source = await openSource({ inputs });
  const begins: unknown[] = [];
  for await (const { fromRow, file, fileRow } of source.read([{ name: "a" }], 1))
    begins.push([fromRow, file, fileRow]);
  expect(begins).toEqual([
    [1, inputs[0], 2],
    [2, inputs[1], 1],
  ]);
  source.close();
});

test.each([
  [
    "missing",
    "SELECT 1 AS a, 2 AS x",
    "SELECT 1 AS b, 2 AS x",
    /missing2\.parquet has no column "a", which .*missing1/,
  ],
  [
    "type",
    "SELECT 1 AS a, 2 AS x",
    "SELECT 'x' AS a, 2 AS x",
    /type2\.parquet has VARCHAR in the column "a", and .*type1\.parquet INTEGER/,
  ],
])(
  "%s: files that differ in a column are refused by name where it is read, and only there",
  async (name, first, second, message) => {
    const inputs = [
      await folder.writeParquet(`${name}1.parquet`, first),
      await folder.writeParquet(`${name}2.parquet`, second),
    ];
    await expect(readTable({ inputs }, { columns: ["a"] })).rejects.toThrow(message);
    const source = await openSource({ inputs });
    expect(() => source.check?.([{ name: "a" }])).toThrow(message);
    expect(await readRows(source, ["x"])).toEqual([[2], [2]]);
    source.close();
  },
);

test("columns that the first file lacks are known by the file that has them", async () => {
  const inputs = [folder.write("less.csv", "a\n1\n"), folder.write("more.csv", "b,a\n1,2\n")];
  const source = await openSource({ inputs });
  expect(source.columns.map(({ name }) => name)).toEqual(["a"]);
  expect(source.columnsElsewhere).toEqual(new Map([["b", inputs[1]]]));
  expect(await readRows(source, ["a"])).toEqual([["1"], ["2"]]);
  source.close();
});

test("a column that no file has is refused by name", async () => {
  const inputs = [folder.write("plain.csv", "a\n1\n")];
  await expect(readTable({ inputs }, { columns: ["A"] })).rejects.toThrow(/plain\.csv has no column "A"/);
});
