import { expect, test } from "vitest";
import { openDuckdbSession } from "../../../../src/table/duckdb/duckdb-session.ts";
import { openOutputDatabase } from "../../../../src/table/write/output-database.ts";

const SETTINGS =
  "SELECT name, value FROM duckdb_settings() WHERE name LIKE '%extensions' " +
  "OR name IN ('threads', 'memory_limit', 'preserve_insertion_order', 'temp_directory') ORDER BY name";

test("inputs and outputs are handled with the same settings, and neither looks for extensions", async () => {
  const session = await openDuckdbSession();
  const read = await session.rows(SETTINGS);
  session.close();
  const database = await openOutputDatabase(undefined, 256);
  const written = await (await database.copying.run(SETTINGS)).getRowsJson();
  database.close();
  expect(written).toEqual(read);
  expect(Object.fromEntries(read as [string, string][])).toMatchObject({
    allow_community_extensions: "false",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    preserve_insertion_order: "true",
    threads: "1",
  });
});
