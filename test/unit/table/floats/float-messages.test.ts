import { expect, test } from "vitest";
import { rowsOfBlock } from "../../../../src/table/floats/float-messages.ts";
import { MOST_CHUNK_ROWS } from "../../../../src/table/table-source.ts";

test("a block is cut into chunks of equal rows, whatever the columns, and takes at most 4 MiB", () => {
  for (let width = 1; width < 3000; width++) {
    const rows = rowsOfBlock([width]);
    expect(rows % Math.min(rows, MOST_CHUNK_ROWS), `${width} columns`).toBe(0);
    expect(rows * width * 4, `${width} columns`).toBeLessThanOrEqual(4 << 20);
  }
  expect([rowsOfBlock([30]), rowsOfBlock([10, 90]), rowsOfBlock([300]), rowsOfBlock([2_000_000])]).toEqual([
    32_768, 8192, 2048, 1,
  ]);
});
