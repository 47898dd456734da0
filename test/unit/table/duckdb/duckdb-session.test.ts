import { expect, test } from "vitest";
import { openDuckdbSession } from "../../../../src/table/duckdb/duckdb-session.ts";
import { sqlText } from "../../../../src/table/duckdb/sql-text.ts";

test("nothing is looked for outside: no extension is installed or loaded on demand", async () => {
  const session = await openDuckdbSession();
  const settings = await session.rows(
    "SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%extensions' OR name = 'threads' ORDER BY name",
  );
  expect(settings).toEqual([
    ["autoinstall_known_extensions", "false"],
    ["autoload_known_extensions", "false"],
    ["threads", "1"],
  ]);
  await expect(session.rows("FROM 'https://example.com/x.parquet'")).rejects.toThrow(/httpfs/);
  session.close();
});

test("a stream that fails in the middle throws what failed, and the session goes on", async () => {
  const session = await openDuckdbSession();
  const failing = session.stream(
    ["CASE WHEN n = 1500000 THEN error('row 1500000') ELSE n END"],
    "(SELECT range AS n FROM range(2000000))",
  );
  let rows = 0;
  await expect(
    (async () => {
      for await (const chunk of failing) rows += chunk.rowCount;
    })(),
  ).rejects.toThrow(/row 1500000/);
  expect(rows).toBeLessThan(1_500_000);
  expect(await session.rows("SELECT 1")).toEqual([[1]]);
  session.close();
});

test("a stream has all rows and nothing else, whatever the last chunk holds", async () => {
  const session = await openDuckdbSession();
  for (const count of [0, 1, 2047, 2048, 2049, 4096]) {
    const seen: bigint[] = [];
    for await (const chunk of session.stream(["range", "NULL"], `range(${count})`)) {
      const vector = chunk.getColumnVector(0);
      for (let row = 0; row < chunk.rowCount; row++) seen.push(vector.getItem(row) as bigint);
    }
    expect(seen).toEqual(Array.from({ length: count }, (_, row) => BigInt(row)));
  }
  session.close();
});

test("closing while a chunk is on its way ends the stream", async () => {
  const session = await openDuckdbSession();
  const stream = session.stream(["range"], "range(100000000)");
  await stream.next();
  session.close();
  session.close();
  for await (const chunk of stream) expect(chunk.rowCount).toBeGreaterThan(0);
});

test("texts are quoted", async () => {
  const session = await openDuckdbSession();
  expect(await session.rows(`SELECT ${sqlText("it's '' \\ \n")}`)).toEqual([["it's '' \\ \n"]]);
  session.close();
});
