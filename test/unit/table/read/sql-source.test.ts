import { expect, test } from "vitest";
import { openSource } from "../../../../src/table/read/open-source.ts";
import { readRows, readTable, tableFolder } from "../../../support/tables/table-folder.ts";

const folder = tableFolder();
const a = folder.write("a.csv", "k,v\n1,x\n2,y\n");
folder.write("b1.csv", "k,w\n1,5\n");
folder.write("b2.csv", "k,w\n2,6\n");
const sql = (query: string) => openSource({ inputs: [`sql:${query}`], temporaryFolder: folder.path });

test("a query's inputs are itself and the files that its syntax names", async () => {
  const query = `WITH j AS (SELECT * FROM '${a}' JOIN read_csv(['${folder.path}/b*.csv', '${a}'], union_by_name=true) USING (k))
    SELECT * FROM j ORDER BY k; -- the end`;
  const source = await sql(query);
  expect(source.format).toBe("sql");
  expect(source.inputs.map(({ name }) => name.replace(folder.path, ""))).toEqual([
    `sql:${query}`.replace(folder.path, ""),
    "/a.csv",
    "/b1.csv",
    "/b2.csv",
  ]);
  expect(source.inputs[0]).toMatchObject({ sizeBytes: 0, modifiedAtMs: 0 });
  expect(source.inputs[1]!.sizeBytes).toBe(12);
  expect(source.notResumable).toBeUndefined();
  source.close();
});

test.each([
  ["SELECT range FROM range(9)", false],
  ["SELECT * FROM (SELECT range FROM range(9) ORDER BY 1)", false],
  ["SELECT 'ORDER BY' AS a", false],
  ["SELECT range FROM range(9) ORDER BY ALL", true],
  ["FROM range(9) UNION ALL FROM range(2) ORDER BY 1 LIMIT 3", true],
])("%s can be resumed: %s", async (query, isResumable) => {
  const source = await sql(query);
  expect(source.notResumable === undefined).toBe(isResumable);
  if (!isResumable) expect(source.notResumable).toMatch(/no ORDER BY/);
  source.close();
});

test("an order holds from any row on, and names are exact", async () => {
  const source = await sql(
    'SELECT range AS "Ä ""b", -range AS "ä ""b" FROM range(100000) ORDER BY hash(range)',
  );
  const all = await readRows(source, ['ä "b', 'Ä "b']);
  expect(new Set(all.map(String)).size).toBe(100_000);
  expect(await readRows(source, ['ä "b', 'Ä "b'], 98_765)).toEqual(all.slice(98_765));
  source.close();
});

test("a sort that does not fit in memory goes to the temporary folder, and fails without one", async () => {
  const query = "SELECT repeat('x', 600) || range AS s FROM range(600000) ORDER BY hash(range)";
  const source = await sql(query);
  let rows = 0;
  for await (const { chunk } of source.read([{ name: "s" }], 0)) rows += chunk.rowCount;
  expect(rows).toBe(600_000);
  source.close();
  const alone = await openSource({ inputs: [`sql:${query}`] });
  await expect(
    alone
      .read([{ name: "s" }], 0)
      [Symbol.asyncIterator]()
      .next(),
  ).rejects.toThrow(/does not fit in the memory/);
  alone.close();
}, 120_000);

test.each([
  ["COPY (SELECT 1) TO 'x.csv'", /the query cannot be run: it is not a SELECT, and nothing else is run/],
  ["SELECT 1; SELECT 2", /the query has 2 statements, and one SELECT is expected/],
  ["SELECT 1 WHERE (", /the query cannot be run: syntax error at end of input at character \d+/],
  [`SELECT kk FROM '${a}'`, /the query cannot be run: .*"kk" not found.*Candidate bindings: "k"/],
  ["SELECT * FROM nothing_here", /the query cannot be run: .*nothing_here does not exist/],
  ["SELECT * FROM 'gs://bucket/x.parquet'", /the query cannot be run: it is not on this machine/],
  ["INSTALL httpfs", /it is not a SELECT/],
  ["", /the query/],
])("%s: refused in plain words", async (query, message) => {
  await expect(sql(query)).rejects.toThrow(message);
});

test("a failure in the middle of the rows is an error, not their end", async () => {
  const query =
    "SELECT CASE WHEN range = 90000 THEN error('row 90000') ELSE range END AS n FROM range(100000)";
  await expect(readTable({ inputs: [`sql:${query}`] })).rejects.toThrow(/the query cannot be run: row 90000/);
});

test("a query over a file gives a name that stands there twice once, and the second with _1", async () => {
  const csv = folder.write("twice.csv", "x,y,x\n1,2,3\n");
  const parquet = await folder.writeParquet("twice.parquet", "SELECT 1 AS x, 2 AS y, 3 AS x");
  for (const path of [csv, parquet]) {
    const read = await readTable({ inputs: [`sql:SELECT * FROM '${path}'`] });
    expect(read).toMatchObject({ names: ["x", "y", "x_1"] });
    expect(read.rows[0]!.map(Number)).toEqual([1, 2, 3]);
  }
});

test("a query stands alone", async () => {
  await expect(openSource({ inputs: [a, "sql:SELECT 1"] })).rejects.toThrow(
    /sql:SELECT 1 stands beside other inputs/,
  );
});
