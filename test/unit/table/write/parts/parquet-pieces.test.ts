import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { openFileSink } from "../../../../../src/table/write/file-sink.ts";
import { joinParquetPieces } from "../../../../../src/table/write/parts/parquet-pieces.ts";
import { fileFolder } from "../../../../support/folders.ts";
import {
  appendRest,
  type QueryTable,
  queryRows,
  queryTable,
  resultColumns,
  rowResults,
  sinkOptions,
} from "../../../../support/tables/sink-tables.ts";
import { tableFolder } from "../../../../support/tables/table-folder.ts";

const ROWS = 400_000;
/** More than a row group, so that parts are copied. */
const PART_ROWS = 62 * 2048;
const folder = fileFolder();
const tables = tableFolder();
let table: QueryTable;
let files = 0;

beforeAll(async () => {
  table = await queryTable(
    `SELECT range AS id, CASE WHEN range % 3 = 0 THEN NULL ELSE 'text ' || range % 1000 END AS text, range // 50000 AS step FROM range(${ROWS})`,
  );
});

function newPath(): string {
  mkdirSync(join(folder, String(++files)));
  return join(folder, String(files), "scores.parquet");
}

function options(outputPath: string) {
  const columns = resultColumns(table.names, {
    hasLabel: true,
    knownLabels: ["even", "an odd number of a row"],
  });
  return sinkOptions(outputPath, table, { columns, partRows: PART_ROWS, partBytes: 1 << 30 });
}

async function written(outputPath: string): Promise<Buffer> {
  const sink = await openFileSink(options(outputPath));
  await appendRest(sink, table, 1000);
  expect(await sink.finish()).toEqual({ inputRows: ROWS, rows: ROWS, errorRows: ROWS / 1000 });
  return readFileSync(outputPath);
}

test("parts of a whole row group stand in the output as they were written, found by every column's place and statistics", async () => {
  const outputPath = newPath();
  await written(outputPath);
  const groups = await queryRows(
    `SELECT row_group_num_rows AS rows FROM parquet_metadata('${outputPath}') WHERE path_in_schema = 'id' ORDER BY row_group_id`,
  );
  // Each part of 126,976 rows has a group of 122,880 and the rest.
  expect(groups.map((group) => Number((group as { rows: string }).rows))).toEqual([
    122_880, 4096, 122_880, 4096, 122_880, 4096, 19_072,
  ]);
  expect(
    await queryRows(`SELECT count(*) AS rows, bool_and(id = row AND (text IS NULL) = (row % 3 = 0)
      AND (text IS NULL OR text = 'text ' || row % 1000) AND (score IS NULL) = (row % 1000 = 999)
      AND (score IS NULL OR score = row / 7) AND model_version = '3' AND (score_error IS NULL) = (row % 1000 <> 999)
      AND (label IS NULL) = (row % 1000 = 999)
      AND (label IS NULL OR label = CASE WHEN row % 2 = 0 THEN 'even' ELSE 'an odd number of a row' END)) AS same
      FROM (SELECT *, row_number() OVER () - 1 AS row FROM '${outputPath}')`),
  ).toEqual([{ rows: String(ROWS), same: true }]);
  // By statistics and bloom filters of groups that stand behind the first part.
  expect(await queryRows(`SELECT id, step FROM '${outputPath}' WHERE id = 399999`)).toEqual([
    { id: "399999", step: "7" },
  ]);
  expect(await queryRows(`SELECT count(*) AS rows FROM '${outputPath}' WHERE step = 5`)).toEqual([
    { rows: "50000" },
  ]);
});

test("a run that goes on after a stop gives the same bytes", async () => {
  const wanted = await written(newPath());
  const outputPath = newPath();
  const stopped = await openFileSink(options(outputPath));
  for (const chunk of table.chunks.slice(0, 140)) await stopped.append(chunk, rowResults(chunk, 1000));
  await stopped.abort();
  const sink = await openFileSink(options(outputPath));
  expect(sink.written.inputRows).toBe(2 * PART_ROWS);
  await sink.abort();
  expect((await written(outputPath)).equals(wanted)).toBe(true);
});

test("files of other columns do not join, nor does anything that is no whole file", async () => {
  const first = await tables.writeParquet("first.parquet", "SELECT range AS a FROM range(10)");
  const same = await tables.writeParquet("same.parquet", "SELECT range + 10 AS a FROM range(10)");
  const other = await tables.writeParquet("other.parquet", "SELECT range AS b FROM range(10)");
  const path = newPath();
  expect(await joinParquetPieces([first, same], path)).toBe(true);
  expect(await queryRows(`SELECT sum(a)::INTEGER AS sum, count(*)::INTEGER AS rows FROM '${path}'`)).toEqual([
    { sum: 190, rows: 20 },
  ]);
  expect(await joinParquetPieces([first, other], path)).toBe(false);
  const cut = join(folder, "cut.parquet");
  writeFileSync(cut, readFileSync(same));
  truncateSync(cut, 100);
  await expect(joinParquetPieces([first, cut], path)).rejects.toThrow("no whole Parquet file");
});

test("a label that nobody knew of is written all the same", async () => {
  const outputPath = newPath();
  const few = await queryTable("SELECT range AS id FROM range(6000)");
  const columns = resultColumns([], { hasLabel: true, knownLabels: ["even", "odd"] });
  const sink = await openFileSink(sinkOptions(outputPath, few, { columns, keepTypes: [] }));
  for (const chunk of few.chunks) await sink.append(chunk, rowResults(chunk));
  await sink.finish();
  expect(
    await queryRows(
      `SELECT label, count(*)::INTEGER AS rows FROM '${outputPath}' GROUP BY label ORDER BY label`,
    ),
  ).toEqual([
    { label: "an odd number of a row", rows: 3000 },
    { label: "even", rows: 3000 },
  ]);
});
