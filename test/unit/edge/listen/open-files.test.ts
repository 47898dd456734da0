import { expect, test } from "vitest";
import { OpenFiles } from "../../../../src/edge/listen/open-files.ts";

function openFiles(limit: number, others: number) {
  const counts = { connections: 0, looks: 0 };
  const files = new OpenFiles({
    limit: () => limit,
    used() {
      counts.looks++;
      return others + counts.connections;
    },
  });
  return {
    counts,
    at(connections: number, nowMs = 0) {
      counts.connections = connections;
      return files.maxConnections(connections, nowMs);
    },
  };
}

test("few connections need no look, and many are bounded by what is free, less a reserve", () => {
  const { at, counts } = openFiles(1000, 100);
  expect(at(249)).toBe(Number.POSITIVE_INFINITY);
  expect(counts.looks).toBe(0);
  expect(at(250)).toBe(900 - 128);
  expect(at(700)).toBe(772);
  expect(counts.looks).toBe(1);
});

test("a small limit keeps a quarter of what is free", () => {
  expect(openFiles(100, 40).at(30)).toBe(45);
});

test("a look is taken once a second", () => {
  const { at, counts } = openFiles(100, 40);
  for (let ms = 0; ms <= 3000; ms += 100) at(30, ms);
  expect(counts.looks).toBe(3);
});

test("where no file is free one connection is allowed", () => expect(openFiles(100, 200).at(30)).toBe(1));

test("a limit that cannot be told bounds nothing", () => {
  expect(openFiles(Number.POSITIVE_INFINITY, 0).at(100_000)).toBe(Number.POSITIVE_INFINITY);
});
