import { renameSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { TableStore } from "../../../src/features/table-store.ts";
import { fileFolder } from "../../support/folders.ts";
import { query } from "../../support/tables/tables.ts";

const folder = fileFolder();
const opened: TableStore[] = [];
afterEach(() => {
  for (const store of opened.splice(0)) store.close();
});

/** A store over a table of one row under the key 42 with the column `at`. */
async function storeOf(name: string, at: string, timeField: string): Promise<TableStore> {
  const path = join(folder, `${name}.parquet`);
  await query(`COPY (SELECT 42 AS id, 31 AS age, ${at} AS at) TO '${path}' (FORMAT parquet)`);
  const fields = ["age", "at"];
  const store = new TableStore({
    path,
    table: "",
    keys: ["id"],
    fields,
    timeField,
    maxBytes: 1_000_000,
    lookEveryMs: 1_000,
  });
  opened.push(store);
  return store;
}

test.each(["TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMPTZ"])(
  "a row's time may be a %s",
  async (type) => {
    const store = await storeOf(type, `CAST('2026-11-29 05:00:00.5' AS ${type})`, "at");
    await store.open();
    expect(await store.lookUp([["42"], ["43"]])).toEqual([[31, 1795928400500n], undefined]);
  },
);

test("a row's time may be a date, or not be there", async () => {
  const dated = await storeOf("date", "DATE '2026-11-29'", "at");
  await dated.open();
  expect(await dated.lookUp([["42"]])).toEqual([[31, 1795910400000n]]);
  const without = await storeOf("without", "CAST(NULL AS TIMESTAMP)", "at");
  await without.open();
  expect(await without.lookUp([["42"]])).toEqual([[31, null]]);
});

test.each(["TIMESTAMP", "TIMESTAMPTZ", "DATE", "TIME"])(
  "a %s is refused as a column of the model",
  async (type) => {
    const at = type === "TIME" ? "TIME '05:00:00'" : `CAST('2026-11-29 05:00:00' AS ${type})`;
    const store = await storeOf(`feature-${type}`, at, "");
    await expect(store.open()).rejects.toMatchObject({
      reason: Reason.TABLE_INVALID,
      message: expect.stringMatching(/column "at" is (TIME|DATE).*; numbers, booleans and text are taken/),
    });
  },
);

/** A database of DuckDB with the table `people`, made anew in the place of the one before. */
async function writeDatabase(path: string, age: number): Promise<void> {
  const next = `${path}.next`;
  const rows = `SELECT 42 AS id, ${age} AS age UNION ALL SELECT 43, 9`;
  await query(`ATTACH '${next}' AS made; CREATE TABLE made.people AS ${rows}; DETACH made`);
  renameSync(next, path);
}

test("a table of a DuckDB database is looked up in, and read again when the file changes", async () => {
  const path = join(folder, "people.duckdb");
  await writeDatabase(path, 31);
  const options = { path, keys: ["id"], fields: ["age"], timeField: "", maxBytes: 1_000_000 };
  const store = new TableStore({ ...options, table: "people", lookEveryMs: 0 });
  opened.push(store);
  await store.open();
  expect(await store.lookUp([["42"], ["43"], ["44"]])).toEqual([[31], [9], undefined]);
  await writeDatabase(path, 32);
  await expect.poll(() => store.lookUp([["42"]])).toEqual([[32]]);
  const other = new TableStore({ ...options, table: "customers", lookEveryMs: 1_000 });
  opened.push(other);
  await expect(other.open()).rejects.toMatchObject({
    reason: Reason.TABLE_INVALID,
    message: expect.stringContaining(`${path}, table "customers"`),
  });
});
