import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openDuckdbSession } from "../../../src/table/duckdb/duckdb-session.ts";
import { openSource } from "../../../src/table/read/open-source.ts";
import { checkRemoteFormat, isFetched, loadHttpfs } from "../../../src/table/remote-files.ts";
import { testFolder } from "../../support/folders.ts";

const ADDRESS = "s3://bucket/a.parquet";

async function openedSession() {
  const session = await openDuckdbSession();
  onTestFinished(() => session.close());
  const [row = []] = await session.rows(
    "SELECT library_version, platform FROM pragma_version(), pragma_platform()",
  );
  const home = testFolder();
  const path = join(home, ".duckdb/extensions", String(row[0]), String(row[1]), "httpfs.duckdb_extension");
  return { session, home, path };
}

test("without the extension the error says where it was looked for, what puts it there, and what copies the file", async () => {
  const { session, home, path } = await openedSession();
  const refused = loadHttpfs(session, ADDRESS, home);
  await expect(refused).rejects.toThrow(`${path} was looked for, and Assay downloads none`);
  await expect(refused).rejects.toThrow(
    /INSTALL httpfs in a DuckDB of this version puts there.*\(aws s3 cp\)/,
  );
});

test.each([
  ["no extension at all", "not an extension"],
  ["empty", ""],
])("a file in its place that is %s is refused with its path and DuckDB's reason", async (_, text) => {
  const { session, home, path } = await openedSession();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  const refused = loadHttpfs(session, ADDRESS, home);
  await expect(refused).rejects.toThrow(`httpfs at ${path} cannot be loaded: `);
  await expect(refused).rejects.toThrow(/Replace it by that of DuckDB v[\d.]+ for \w+/);
});

test("an address is httpfs's where it begins with https, http or s3", () => {
  const inputs = [ADDRESS, "HTTPS://x.org/a", "http://x/a", "gs://b/a", "a.parquet", "file:///a", "hf://d/a"];
  expect(inputs.filter(isFetched)).toEqual(inputs.slice(0, 3));
});

test("of files elsewhere only Parquet is read where it lies; a query reads others", () => {
  checkRemoteFormat("https://x.org/a.parquet?signature=1", undefined);
  checkRemoteFormat("https://x.org/download", "parquet");
  expect(() => checkRemoteFormat("https://x.org/a.csv?x=1", undefined)).toThrow(
    /it is csv: .* \(curl -O\), or name it in a query: --input "sql:SELECT … FROM 'https:/,
  );
  expect(() => checkRemoteFormat("s3://b/a", undefined)).toThrow(/its ending tells no format/);
});

test("an address that needs another extension is refused as before, whether in a list or in a query", async () => {
  await expect(openSource({ inputs: ["gs://b/a.parquet"] })).rejects.toThrow(/\(gcloud storage cp\)/);
  await expect(openSource({ inputs: ["sql:FROM 'hf://datasets/a/b.parquet'"] })).rejects.toThrow(
    /copy it here first/,
  );
});
