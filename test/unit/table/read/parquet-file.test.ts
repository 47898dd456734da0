import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openSource } from "../../../../src/table/read/open-source.ts";
import { readRows, readTable, tableFolder } from "../../../support/tables/table-folder.ts";

const folder = tableFolder();

test("the rows of many row groups come in their order, from any row on", async () => {
  const path = await folder.writeParquet(
    "groups.parquet",
    "SELECT range AS n, CASE WHEN range % 3 = 0 THEN NULL ELSE range / 2 END AS h FROM range(100000)",
    ", ROW_GROUP_SIZE 3000",
  );
  const source = await openSource({ inputs: [path] });
  expect(source.rowCount).toBe(100_000);
  for (const fromRow of [0, 1, 2999, 3000, 77_777, 99_999, 100_000]) {
    const rows = await readRows(source, ["n"], fromRow);
    expect(rows.map(([n]) => Number(n))).toEqual(
      Array.from({ length: 100_000 - fromRow }, (_, i) => fromRow + i),
    );
  }
  expect((await readRows(source, ["h", "n"], 99_998)).map(String)).toEqual(["49999,99998", ",99999"]);
  source.close();
});

test("columns have the file's types, and nested ones stand beside those that are read", async () => {
  const path = await folder.writeParquet(
    "types.parquet",
    `SELECT 1.25::DECIMAL(10,2) AS d, 170141183460469231731687303715884105727::HUGEINT AS h, DATE '2024-02-29' AS day,
     TIMESTAMP '2024-02-29 01:02:03.456' AS t, [1, 2] AS l, {'x': 1} AS s, MAP {'k': 1} AS m, 'b'::ENUM('a', 'b') AS e,
     NULL::FLOAT AS f, 'ö' AS "we""ird 'n"`,
  );
  const read = await readTable({ inputs: [path] }, { columns: ["d", "day", "t", "e", "f", "we\"ird 'n"] });
  expect(read.names).toEqual(["d", "h", "day", "t", "l", "s", "m", "e", "f", "we\"ird 'n"]);
  expect(read.types.slice(0, 7)).toEqual([
    "DECIMAL(10,2)",
    "DOUBLE",
    "DATE",
    "TIMESTAMP",
    "INTEGER[]",
    'STRUCT("x" INTEGER)',
    "MAP(VARCHAR, INTEGER)",
  ]);
  expect(read.rows).toEqual([["1.25", "2024-02-29", "2024-02-29 01:02:03.456", "b", null, "ö"]]);
});

test("decimals are read as doubles on request", async () => {
  const path = await folder.writeParquet(
    "decimal.parquet",
    "SELECT 12345678901234567890.12::DECIMAL(38,2) AS d",
  );
  expect((await readTable({ inputs: [path] }, { asDouble: true })).rows).toEqual([
    [Number("12345678901234567890.12")],
  ]);
});

test("a column may be called file_row_number", async () => {
  const path = await folder.writeParquet("named.parquet", "SELECT range AS FILE_row_number FROM range(5000)");
  const read = await readTable({ inputs: [path] }, { fromRow: 4998 });
  expect(read.rows).toEqual([["4998"], ["4999"]]);
});

test("a file without rows has its columns", async () => {
  const path = await folder.writeParquet("none.parquet", "SELECT 1 AS a WHERE false");
  expect(await readTable({ inputs: [path] })).toEqual({ names: ["a"], types: ["INTEGER"], rows: [] });
});

test("reading can be left, and begun again, while the next chunk is on its way", async () => {
  const path = await folder.writeParquet("left.parquet", "SELECT range AS n FROM range(500000)");
  const source = await openSource({ inputs: [path] });
  for (const fromRow of [0, 5, 100_000]) {
    for await (const { chunk } of source.read([{ name: "n" }], fromRow)) {
      expect(chunk.getColumnVector(0).getItem(0)).toBe(BigInt(fromRow));
      break;
    }
  }
  const reading = source.read([{ name: "n" }], 0)[Symbol.asyncIterator]();
  await reading.next();
  source.close();
  source.close();
});

test("a file cut anywhere is refused by its name", async () => {
  const path = await folder.writeParquet(
    "whole.parquet",
    "SELECT range AS n, 't' || range AS t FROM range(500)",
  );
  const whole = readFileSync(path);
  for (const length of [0, 3, 4, 11, 500, whole.length - 200, whole.length - 8, whole.length - 1]) {
    const cut = folder.write("cut.parquet", whole.subarray(0, length));
    await expect(readTable({ inputs: [cut] }), `${length} bytes`).rejects.toThrow(
      /cut\.parquet (cannot be read|is cut off: it begins as Parquet|is no Parquet file)/,
    );
  }
});
