import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { AssayError } from "../../../../src/errors.ts";
import { openSource } from "../../../../src/table/read/open-source.ts";
import type { ColumnRequest, TableChunk } from "../../../../src/table/table-source.ts";
import { tableFolder } from "../../../support/tables/table-folder.ts";

const folder = tableFolder();
const ROWS = 260_001;

async function numbers(): Promise<string> {
  return folder.writeParquet(
    "numbers.parquet",
    `SELECT i AS n, i::FLOAT AS a, CASE WHEN i % 7 = 3 THEN NULL ELSE (i / 4)::FLOAT END AS b, (-i)::FLOAT AS c
     FROM range(${ROWS}) t(i)`,
  );
}

const A_AND_B: ColumnRequest = { name: "", packedFloats: ["a", "b"] };
const C_AND_A: ColumnRequest = { name: "", packedFloats: ["c", "a"] };

async function chunksOf(
  path: string,
  requests: readonly ColumnRequest[],
  fromRow: number,
  each: (chunk: TableChunk) => void,
): Promise<number> {
  const source = await openSource({ inputs: [path] });
  let row = fromRow;
  try {
    for await (const chunk of source.read(requests, fromRow)) {
      expect(chunk.fromRow).toBe(row);
      expect(chunk.floats).toBeDefined();
      each(chunk);
      row += chunk.chunk.rowCount;
      chunk.floats!.release();
    }
  } finally {
    source.close();
  }
  return row;
}

/** What row `row` has in columns a and b. */
const expected = (row: number) => [row, row % 7 === 3 ? Number.NaN : Math.fround(row / 4)];

test("floats read by a thread of their own are those of the file, row by row, NULL as NaN, from any row on", async () => {
  const path = await numbers();
  for (const fromRow of [0, 1, 2047, 10_000]) {
    let wrong = 0;
    const end = await chunksOf(path, [A_AND_B, C_AND_A], fromRow, ({ fromRow, chunk, floats }) => {
      const [first, second] = [floats!.byVector.get(0)!, floats!.byVector.get(1)!];
      expect(first).toHaveLength(chunk.rowCount * 2);
      expect(second).toHaveLength(chunk.rowCount * 2);
      for (let i = 0; i < chunk.rowCount; i++) {
        const [a, b] = expected(fromRow + i);
        if (!Object.is(first[2 * i], a) || !Object.is(first[2 * i + 1], b)) wrong++;
        if (second[2 * i] !== 0 - a! || second[2 * i + 1] !== a) wrong++;
      }
    });
    expect(end).toBe(ROWS);
    expect(wrong).toBe(0);
  }
});

test("chunks say whether all of their floats are finite, and are never said to be where one is not", async () => {
  const odd: Readonly<Record<string, (row: number) => boolean>> = {
    NULL: (row) => row === 100_000,
    "'nan'::FLOAT": (row) => row === 200_000,
    "'-inf'::FLOAT": (row) => row === 260_000,
  };
  for (const [value, isOdd] of Object.entries(odd)) {
    const [at] = [100_000, 200_000, 260_000].filter(isOdd);
    const path = await folder.writeParquet(
      "odd.parquet",
      `SELECT ${[..."abcde"].map((name) => `${name === "e" ? `CASE WHEN i = ${at} THEN ${value} ELSE 3e38 END` : "-3e38"}::FLOAT AS ${name}`)} FROM range(${ROWS}) t(i)`,
    );
    let finite = 0;
    await chunksOf(path, [{ name: "", packedFloats: [..."abcde"] }], 0, ({ fromRow, chunk, floats }) => {
      if (floats!.areFinite) finite++;
      if (fromRow <= at! && at! < fromRow + chunk.rowCount) expect(floats!.areFinite, value).toBe(false);
    });
    expect(finite).toBeGreaterThan(10);
  }
});

test("columns read beside them stand in the same rows", async () => {
  const path = await numbers();
  let wrong = 0;
  const end = await chunksOf(path, [{ name: "n" }, A_AND_B, { name: "c" }], 3, ({ chunk, floats }) => {
    const n = chunk.getColumnVector(0);
    const c = chunk.getColumnVector(2);
    const pairs = floats!.byVector.get(1)!;
    for (let i = 0; i < chunk.rowCount; i++) {
      if (Number(n.getItem(i)) !== pairs[2 * i] || Number(c.getItem(i)) !== 0 - pairs[2 * i]!) wrong++;
    }
  });
  expect(end).toBe(ROWS);
  expect(wrong).toBe(0);
});

test("a reading that is left early, or whose rows are never given back, leaves the next one in order", async () => {
  const path = await numbers();
  const source = await openSource({ inputs: [path] });
  for await (const { floats } of source.read([A_AND_B], 0)) {
    expect(floats!.byVector.get(0)![2]).toBe(1);
    break;
  }
  let rows = 0;
  const held: Float32Array[] = [];
  for await (const { chunk, floats } of source.read([A_AND_B], 0)) {
    rows += chunk.rowCount;
    held.push(floats!.byVector.get(0)!);
  }
  expect(rows).toBe(ROWS);
  expect(held.map((values) => values[0]).every((value, i) => i === 0 || value! > held[i - 1]![0]!)).toBe(
    true,
  );
  source.close();
});

test("a file of few rows is read without a thread", async () => {
  const path = await folder.writeParquet("few.parquet", "SELECT 1::FLOAT AS a, 2::FLOAT AS b");
  const source = await openSource({ inputs: [path] });
  for await (const chunk of source.read([A_AND_B], 0)) expect(chunk.floats).toBeUndefined();
  source.close();
});

test("what the thread fails on names the file", async () => {
  const path = await numbers();
  const source = await openSource({ inputs: [path] });
  const bytes = readFileSync(path);
  bytes.fill(0x55, 1000, bytes.length - 5000);
  writeFileSync(path, bytes);
  const read = async () => {
    for await (const { floats } of source.read([A_AND_B], 0)) floats!.release();
  };
  const error = await read().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(AssayError);
  expect(String(error)).toContain(path);
  source.close();
});
