import { DuckDBDataChunk, INTEGER, LIST } from "@duckdb/node-api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { clearedBits, copyKept, keptRuns } from "../../../../src/table/duckdb/row-copy.ts";
import { rowBytes } from "../../../../src/table/duckdb/vector-memory.ts";
import { queryTable } from "../../../support/tables/sink-tables.ts";

test("the runs of kept rows are all rows but those with an error, in order", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 200 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 199 })),
      (rowCount, failed) => {
        const errors = new Map(failed.filter((row) => row < rowCount).map((row) => [row, "bad"]));
        const kept = keptRuns(rowCount, errors).flatMap(({ from, count }) =>
          Array.from({ length: count }, (_, i) => from + i),
        );
        expect(kept).toEqual(
          Array.from({ length: rowCount }, (_, row) => row).filter((row) => !errors.has(row)),
        );
      },
    ),
  );
});

test("bits are set for all rows but those named", () => {
  expect([...clearedBits(10, [0, 9])]).toEqual([0xfe, 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
});

test("any rows of any type are copied, with their nulls", async () => {
  const { chunks, types } = await queryTable(`SELECT CASE WHEN range % 3 <> 0 THEN range END AS number,
    CASE WHEN range % 4 <> 0 THEN 'a text that is longer than twelve bytes ' || range ELSE NULL END AS text,
    range % 2 = 0 AS flag, CASE WHEN range % 5 <> 0 THEN [range, NULL] END AS list, (range / 10)::DECIMAL(30, 1) AS wide FROM range(100)`);
  const source = chunks[0]!.chunk;
  const target = DuckDBDataChunk.create(types);
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { maxLength: 99 }), (failed) => {
      const runs = keptRuns(100, new Map(failed.map((row) => [row, ""])));
      const rows = runs.flatMap(({ from, count }) => Array.from({ length: count }, (_, i) => from + i));
      target.reset();
      target.rowCount = rows.length;
      for (const index of types.keys())
        copyKept(source.getColumnVector(index), target.getColumnVector(index), runs, rows.length);
      // Setting the count makes the chunk show DuckDB's memory anew.
      target.rowCount = rows.length;
      for (const index of types.keys()) {
        const all = source.getColumnValues(index);
        expect(target.getColumnValues(index)).toEqual(rows.map((row) => all[row]));
      }
    }),
    { numRuns: 50 },
  );
});

test("nested types have no memory of a fixed width", () => {
  const chunk = DuckDBDataChunk.create([LIST(INTEGER), INTEGER], 3);
  expect(rowBytes(chunk.getColumnVector(0))).toBeUndefined();
  expect(rowBytes(chunk.getColumnVector(1))?.byteLength).toBe(12);
});
