import { expect, test } from "vitest";
import { fetchingRuns, PartitionRun } from "../../../src/consume/partition-run.ts";
import type { InputRecord, OutputMessage } from "../../../src/consume/records/input-record.ts";

function record(offset: number, size = 10): InputRecord {
  return { offset: BigInt(offset), timestamp: 0n, key: null, value: Buffer.alloc(size), headers: [] };
}

function runWith(offsets: readonly number[], nextPosition = offsets.at(-1)! + 1): PartitionRun {
  const run = new PartitionRun(0);
  run.take(
    offsets.map((offset) => record(offset)),
    BigInt(nextPosition),
    100,
  );
  return run;
}

const DONE: readonly OutputMessage[] = [];

test("full slices are cut at once, the rest when its oldest record has waited", () => {
  const run = runWith([0, 1, 2, 3, 4]);
  run.cut(2, 5, 101);
  expect(run.cutAtMs(5)).toBe(105);
  const lengths = () => {
    const found: number[] = [];
    for (let slice = run.nextUnscored(); slice !== undefined; slice = run.nextUnscored()) {
      slice.isBegun = true;
      found.push(slice.records.length);
    }
    return found;
  };
  expect(lengths()).toEqual([2, 2]);
  run.cut(2, 5, 105);
  expect(lengths()).toEqual([1]);
  expect(run.cutAtMs(5)).toBeUndefined();
});

test("only slices with none unscored before them are written, whichever is scored first", () => {
  const run = runWith([0, 1, 2]);
  run.cut(1, 0, 100);
  const slices = [0, 1, 2].map(() => {
    const slice = run.nextUnscored()!;
    slice.isBegun = true;
    return slice;
  });
  slices[1]!.messages = DONE;
  expect(run.scored(99, 9999)).toEqual([]);
  slices[0]!.messages = DONE;
  expect(run.scored(99, 9999)).toHaveLength(2);
  expect(run.scored(1, 9999)).toHaveLength(1);
  expect(run.scored(0, 0)).toHaveLength(1);
  expect(run.offsetAfter(2)).toBe(2n);
  run.release(2);
  expect(run.rows).toBe(1);
});

test("with the last record goes the offset behind what follows it and is no row", () => {
  const run = runWith([4, 5], 9);
  run.cut(1, 0, 100);
  expect(run.offsetAfter(1)).toBe(5n);
  expect(run.offsetAfter(2)).toBe(9n);
  run.take([record(9)], 10n, 101);
  expect(run.offsetAfter(2)).toBe(6n);
});

test("a run that has ended takes and gives nothing", () => {
  const run = runWith([0]);
  run.cut(1, 0, 100);
  run.end();
  run.take([record(1)], 2n, 0);
  expect([run.rows, run.bytes, run.nextUnscored(), run.scored(9, 9), run.signal.aborted]).toEqual([
    0,
    0,
    undefined,
    [],
    true,
  ]);
});

test("what is full fetches nothing, but a partition that has nothing always may", () => {
  const full = runWith([0, 1, 2, 3]);
  const some = runWith([0]);
  const empty = new PartitionRun(2);
  const unknown = new PartitionRun(3);
  empty.position = 0n;
  const limits = { mostRows: 100, mostBytes: 1e6 };
  expect(fetchingRuns([full, some, empty, unknown], limits)).toEqual([full, some, empty]);
  expect(fetchingRuns([full, some, empty], { ...limits, mostRows: 5 })).toEqual([empty]);
  expect(fetchingRuns([full, some, empty], { ...limits, mostRows: 9 })).toEqual([some, empty]);
  expect(fetchingRuns([full, some, empty], { ...limits, mostBytes: 1000 })).toEqual([empty]);
});

test("as much is fetched as its rows need, and all where a batch did not fit", () => {
  const run = new PartitionRun(0);
  run.position = 0n;
  const large = Array.from({ length: 100 }, (_, at) => record(at, 2000));
  run.take(large, 100n, 0);
  expect(run.fetchBytes(400)).toBeGreaterThan(300 * 2000);
  expect(run.fetchBytes(400)).toBeLessThan(300 * 2300);
  expect([run.fetchBytes(100), run.fetchBytes(100_000)]).toEqual([65_536, 1_048_576]);
  run.take([], 100n, 0);
  expect(run.fetchBytes(100)).toBe(1_048_576);
});
