import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openSource } from "../../src/table/read/open-source.ts";
import { readRows } from "../support/tables/table-folder.ts";
import { SHARED } from "./shared-models.ts";

const ROOT = join(SHARED, "data/parquet-oddities");

/** What DuckDB says of the files that it does not read. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  "byte_stream_split_extended.gzip.parquet": /BYTE_STREAM_SPLIT encoding is only supported/,
  "hadoop_lz4_compressed.parquet": /Unsupported compression codec "LZ4"/,
  "large_string_map.brotli.parquet": /does not fit in the memory set aside/,
  "map_no_value.parquet": /MAP_KEY_VALUE requires two children/,
  "non_hadoop_lz4_compressed.parquet": /Unsupported compression codec "LZ4"/,
  "ARROW-GH-47662.parquet": /Out of buffer/,
  "ARROW-RS-GH-6229-DICTHEADER.parquet": /Invalid data/,
  "PARQUET-1481.parquet": /Invalid data/,
};

/** Reads every column, nested ones too, and every value. */
async function readAll(path: string): Promise<number> {
  const source = await openSource({ inputs: [path] });
  try {
    const rows = await readRows(
      source,
      source.columns.map(({ name }) => name),
    );
    expect(rows.length).toBe(source.rowCount);
    return rows.length;
  } finally {
    source.close();
  }
}

describe("the files of apache/parquet-testing", () => {
  const files = globSync(`${ROOT}/{data,bad_data}/*.parquet`).sort();
  test("are there", () => {
    expect(files.length).toBeGreaterThan(60);
  });

  test.each(files.map((path) => [basename(path), path]))(
    "%s is read, or refused by its name",
    async (name, path) => {
      const refused = REFUSED[name];
      if (refused === undefined) {
        await readAll(path);
        return;
      }
      const failure = await readAll(path).catch((error) => error);
      expect(failure).toMatchObject({ name: "AssayError", reason: 20 });
      expect(failure.message).toContain(path);
      expect(failure.message).toMatch(refused);
    },
    60_000,
  );

  test("page checksums are not verified: a file whose checksums are wrong is read like any other", async () => {
    expect(await readAll(`${ROOT}/data/datapage_v1-corrupt-checksum.parquet`)).toBe(5120);
    expect(await readAll(`${ROOT}/data/rle-dict-uncompressed-corrupt-checksum.parquet`)).toBe(1000);
  });
});
