import { expect, test } from "vitest";
import type { Entry } from "../../../src/batcher/batcher.ts";
import { createRoomLine } from "../../../src/batcher/room-line.ts";
import { affineEntry } from "../../scoring-core.ts";

function entered(line: ReturnType<typeof createRoomLine>, room: number): Entry[] {
  const entries: Entry[] = [];
  let left = room;
  line.admit(
    (entry) => entry.rowCount <= left,
    (entry) => {
      left -= entry.rowCount;
      entries.push(entry);
    },
  );
  return entries;
}

test("lets entries in as they came, interactive ones first", () => {
  const line = createRoomLine();
  const bulk = [affineEntry({ lane: "bulk" }), affineEntry({ lane: "bulk" })];
  const interactive = affineEntry({ lane: "interactive" });
  for (const entry of [...bulk, interactive]) line.add(entry, 5);
  expect(entered(line, 2)).toEqual([interactive, bulk[0]]);
  expect(entered(line, 2)).toEqual([bulk[1]]);
  expect(line.isEmpty).toBe(true);
});

test("a large entry is not overtaken by small ones of its lane, but does not hold the other lane", () => {
  const line = createRoomLine();
  const large = affineEntry({ rowCount: 10 });
  const small = affineEntry();
  const bulk = affineEntry({ lane: "bulk" });
  for (const entry of [large, small, bulk]) line.add(entry, 0);
  expect(entered(line, 9)).toEqual([bulk]);
  expect(entered(line, 11)).toEqual([large, small]);
});

test("an entry is taken out once, with the time of its coming", () => {
  const line = createRoomLine();
  const entry = affineEntry();
  line.add(entry, 7);
  expect([line.isEmptyIn("interactive"), line.isEmptyIn("bulk")]).toEqual([false, true]);
  expect(line.remove(entry)).toBe(7);
  expect(line.remove(entry)).toBeUndefined();
  expect(line.isEmpty).toBe(true);
});
