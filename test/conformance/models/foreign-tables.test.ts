import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { SourceOptions } from "../../../src/table/read/open-source.ts";
import { run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { readTable } from "../../support/tables/table-folder.ts";
import { tool } from "../tool.ts";

/** A file that another library wrote, and what it wrote. */
interface ForeignTable {
  readonly file: string;
  readonly options: Partial<SourceOptions>;
  readonly columns: Readonly<Record<string, readonly unknown[]>>;
}

const folder = fileFolder();
let tables: readonly ForeignTable[];

beforeAll(async () => {
  const script = join(import.meta.dirname, "../python/foreign_tables.py");
  const written = await run(tool("python-tables"), [script, folder]);
  expect(written.status, written.stderr).toBe(0);
  tables = JSON.parse(written.stdout);
});

/** JSON has no words for these. */
function named(value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

test.each(["parquet", "feather", "arrows", "arrow", "csv", "tsv", "gz", "jsonl", "json", "ndjson"])(
  "every .%s file is read value for value",
  async (ending) => {
    const files = tables.filter(({ file }) => file.endsWith(`.${ending}`));
    expect(files.length).toBeGreaterThan(0);
    for (const { file, options, columns } of files) {
      const names = Object.keys(columns);
      const read = await readTable({ inputs: [join(folder, file)], ...options }, { columns: names });
      const found = names.map((_, index) => read.rows.map((row) => named(row[index])));
      expect(Object.fromEntries(names.map((name, index) => [name, found[index]])), file).toEqual(columns);
    }
  },
);
