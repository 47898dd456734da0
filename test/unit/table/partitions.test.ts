import { Int32, Table, tableToIPC, vectorFromArray } from "apache-arrow";
import { expect, test } from "vitest";
import { openSource } from "../../../src/table/read/open-source.ts";
import { readTable, tableFolder } from "../../support/tables/table-folder.ts";

const folder = tableFolder();
const csv = (name: string, ...rows: string[]) => folder.write(name, `v\n${rows.join("\n")}\n`);
csv("sales/year=2024/month=01/a.csv", "1", "2");
csv("sales/year=2024/month=11/a.csv", "3");
csv("sales/year=2025/month=02/a.csv", "4");

test("a folder of partitions is read as one table, with integer columns of their names, in the order of its paths", async () => {
  const table = await readTable({ inputs: [`${folder.path}/sales`] });
  expect(table).toEqual({
    names: ["v", "year", "month"],
    types: ["VARCHAR", "BIGINT", "BIGINT"],
    rows: [
      ["1", "2024", "1"],
      ["2", "2024", "1"],
      ["3", "2024", "11"],
      ["4", "2025", "2"],
    ],
  });
  const glob = await readTable(
    { inputs: [`${folder.path}/sales/**/*.csv`] },
    { columns: ["month", "v"], fromRow: 1 },
  );
  expect(glob.rows).toEqual([
    ["1", "2"],
    ["11", "3"],
    ["2", "4"],
  ]);
});

test("columns are dates or text where not all values are integers, and a missing value is null", async () => {
  csv("days/day=2024-02-29/kind=1/a.csv", "1");
  csv("days/day=__HIVE_DEFAULT_PARTITION__/kind=it's a%2Fb/a.csv", "2");
  const table = await readTable({ inputs: [`${folder.path}/days/**/*.csv`] });
  expect(table.types).toEqual(["VARCHAR", "DATE", "VARCHAR"]);
  expect(table.rows).toEqual([
    ["1", "2024-02-29", "1"],
    ["2", null, "it's a/b"],
  ]);
  csv("days2/day=2024-02-30/a.csv", "1");
  expect((await readTable({ inputs: [`${folder.path}/days2`] })).types).toEqual(["VARCHAR", "VARCHAR"]);
});

test("Parquet, NDJSON and Arrow files have them too, whichever columns are read", async () => {
  await folder.writeParquet("year=2024.parquet", "SELECT 1 AS no_folder");
  folder.write("lake/year=2024/.keep", "");
  await folder.writeParquet("lake/year=2024/a.parquet", "SELECT range AS v FROM range(3000)");
  folder.write("json/year=2024/a.ndjson", '{"v":1}\n{"v":null}\n');
  const ipc = new Table({ v: vectorFromArray([5, 6], new Int32()) });
  folder.write("arrow/year=2024/name=x/a.arrow", tableToIPC(ipc, "file"));
  const lake = await readTable({ inputs: [`${folder.path}/lake`] }, { fromRow: 2047 });
  expect([lake.rows.length, lake.rows[0], lake.rows.at(-1)]).toEqual([
    953,
    ["2047", "2024"],
    ["2999", "2024"],
  ]);
  const alone = await readTable({ inputs: [`${folder.path}/lake`] }, { columns: ["year"] });
  expect([alone.rows.length, alone.rows[2999]]).toEqual([3000, ["2024"]]);
  expect((await readTable({ inputs: [`${folder.path}/json`] })).rows).toEqual([
    ["1", "2024"],
    [null, "2024"],
  ]);
  expect((await readTable({ inputs: [`${folder.path}/arrow`] })).rows).toEqual([
    [5, "2024", "x"],
    [6, "2024", "x"],
  ]);
  expect((await readTable({ inputs: [`${folder.path}/year=2024.parquet`] })).names).toEqual(["no_folder"]);
});

test("a name that is a column of a file is left to it, and one that a file's folders lack is none", async () => {
  folder.write("own/Year=2024/a.csv", "year,v\n1999,1\n");
  expect((await readTable({ inputs: [`${folder.path}/own/**/*.csv`] })).names).toEqual(["year", "v"]);
  csv("some/year=2024/a.csv", "1");
  csv("some/b.csv", "2");
  expect((await readTable({ inputs: [`${folder.path}/some/**/*.csv`] })).names).toEqual(["v"]);
});

test("a folder of partitions with files of two formats is refused, as which are meant is not clear", async () => {
  csv("two/k=1/a.csv", "1");
  folder.write("two/k=2/a.ndjson", "{}\n");
  await expect(openSource({ inputs: [`${folder.path}/two`] })).rejects.toThrow(/is a folder; name its files/);
});
