import { join } from "node:path";
import { DuckDBDataChunk } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { openFileSink } from "../../../../src/table/write/file-sink.ts";
import { fileFolder } from "../../../support/folders.ts";
import { queryRows, queryTable, resultColumns, sinkOptions } from "../../../support/tables/sink-tables.ts";

const folder = fileFolder();
const FAILED = [0, 100, 2047, 2048, 4999];

test.each([true, false])(
  "a chunk of more rows than DuckDB takes at once is written in order, each error in its row (left out: %s)",
  async (skipErrors) => {
    const outputPath = join(folder, `${skipErrors}.parquet`);
    const table = await queryTable("SELECT 1 AS unused");
    const columns = { ...resultColumns([], { hasLabel: true, probabilities: ["a", "b"] }), skipErrors };
    const sink = await openFileSink({ ...sinkOptions(outputPath, table, { columns }), keepTypes: [] });
    const rowCount = 5000;
    const numbers = Array.from({ length: rowCount }, (_, row) => row);
    await sink.append(
      { chunk: DuckDBDataChunk.create([], 0), fromRow: 0, file: "f", fileRow: 1 },
      {
        rowCount,
        scores: Float64Array.from(numbers),
        labels: numbers.map((row) => `label ${row % 3}`),
        probabilities: Float64Array.from({ length: 2 * rowCount }, (_, at) => at),
        errors: new Map(FAILED.map((row) => [row, `fault of ${row}`])),
      },
    );
    const written = skipErrors ? rowCount - FAILED.length : rowCount;
    expect(await sink.finish()).toEqual({ inputRows: rowCount, rows: written, errorRows: FAILED.length });
    const rows = await queryRows(
      `SELECT score::INTEGER, label, probability_a::INTEGER, probability_b::INTEGER ${skipErrors ? "" : ", score_error"} FROM '${outputPath}'`,
    );
    const expected = numbers
      .filter((row) => !skipErrors || !FAILED.includes(row))
      .map((row) => {
        const label = `label ${row % 3}`;
        if (skipErrors) return [row, label, 2 * row, 2 * row + 1];
        return FAILED.includes(row)
          ? [null, label, null, null, `fault of ${row}`]
          : [row, label, 2 * row, 2 * row + 1, null];
      });
    expect(rows.map((row) => Object.values(row as object))).toEqual(expected);
  },
);
