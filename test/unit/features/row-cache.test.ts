import { expect, test } from "vitest";
import { RowCache } from "../../../src/features/row-cache.ts";

const row = (fetchedAt: number, cells: readonly string[] | undefined = ["x"]) => ({
  cells,
  fetchedAt,
  writtenAt: Number.NaN,
});

test("rows leave at their age, keys that are not there after a second", () => {
  const cache = new RowCache({ cacheMs: 5000, cacheRows: 10, cacheBytes: 10_000 });
  cache.put("a", row(0));
  cache.put("b", { cells: undefined, fetchedAt: 0, writtenAt: Number.NaN });
  expect([cache.get("a", 999), cache.get("b", 999)].map((one) => one !== undefined)).toEqual([true, true]);
  expect([cache.get("a", 4999), cache.get("b", 1000)].map((one) => one !== undefined)).toEqual([true, false]);
  expect(cache.get("a", 5000)).toBeUndefined();
  expect([cache.rowCount, cache.byteCount]).toEqual([0, 0]);
});

test("it holds at most so many rows and so many bytes, and the oldest leave first", () => {
  const cache = new RowCache({ cacheMs: 5000, cacheRows: 3, cacheBytes: 1_000 });
  for (const key of ["a", "b", "c", "d"]) cache.put(key, row(0));
  expect([cache.get("a", 1), cache.rowCount]).toEqual([undefined, 3]);
  cache.put("e", row(1, ["y".repeat(300)]));
  expect(cache.byteCount).toBeLessThanOrEqual(1_000);
  expect(cache.get("e", 2)).toBeDefined();
  cache.put("f", row(1, ["z".repeat(2_000)]));
  expect([cache.get("f", 2), cache.get("e", 2) !== undefined]).toEqual([undefined, true]);
});

test("an answer that was asked for earlier does not take the place of a later one", () => {
  const cache = new RowCache({ cacheMs: 5000, cacheRows: 3, cacheBytes: 1_000 });
  cache.put("a", row(2, ["new"]));
  cache.put("a", row(1, ["old"]));
  expect(cache.get("a", 3)?.cells).toEqual(["new"]);
});
