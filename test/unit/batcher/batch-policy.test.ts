import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BULK_SHARE,
  batchShape,
  leadingLane,
  nextBulkCredit,
  splitLanes,
  whenToRun,
} from "../../../src/batcher/batch-policy.ts";

describe("whenToRun", () => {
  const looked = {
    idleInstances: 1,
    hasRows: true,
    turnIsOpen: false,
    mayGrow: true,
    delayLeftMs: 0,
  };
  test.each([
    ["an instance is idle and rows wait", {}, "now"],
    ["no instance is idle", { idleInstances: 0 }, "on-change"],
    ["no instance is idle, and the batch is full", { idleInstances: 0, mayGrow: false }, "on-change"],
    ["nothing waits", { hasRows: false }, "on-change"],
    ["rows came in this turn", { turnIsOpen: true }, "at-turn-end"],
    ["rows that fill a batch came in this turn", { turnIsOpen: true, mayGrow: false }, "at-turn-end"],
    ["rows came while all are busy", { turnIsOpen: true, idleInstances: 0 }, "on-change"],
    ["the queue delay has begun", { delayLeftMs: 5 }, 5],
    ["timers have whole milliseconds", { delayLeftMs: 2.7 }, 2],
    ["less than a millisecond of the delay is left", { delayLeftMs: 0.4 }, "at-turn-end"],
    ["the delay is over", { delayLeftMs: -0.1 }, "now"],
    ["a full batch, or rows that run alone, wait for no delay", { delayLeftMs: 5, mayGrow: false }, "now"],
    ["the delay runs while all are busy", { delayLeftMs: 5, idleInstances: 0 }, "on-change"],
  ] as const)("%s", (_, moment, start) => {
    expect(whenToRun({ ...looked, ...moment })).toBe(start);
  });
});

describe("batchShape", () => {
  test.each([
    ["across-requests", { maxRows: 64, joinsEntries: true, splitsEntries: true }],
    ["within-request", { maxRows: 64, joinsEntries: false, splitsEntries: false }],
    ["single-rows", { maxRows: 1, joinsEntries: false, splitsEntries: true }],
    ["no-batch-dimension", { maxRows: 1, joinsEntries: false, splitsEntries: true }],
  ] as const)("%s", (batching, shape) => {
    expect(batchShape(batching, 64)).toEqual(shape);
  });
});

describe("leadingLane", () => {
  test.each([
    [{ interactive: true, bulk: true }, 0, "interactive"],
    [{ interactive: true, bulk: true }, 15.9, "interactive"],
    [{ interactive: true, bulk: true }, 16, "bulk"],
    [{ interactive: false, bulk: true }, 0, "bulk"],
    [{ interactive: true, bulk: false }, 16, "interactive"],
  ] as const)("%o with %d of 16 rows owed: %s", (waits, credit, lane) => {
    expect(leadingLane(waits, credit, 16)).toBe(lane);
  });
});

describe("splitLanes", () => {
  test.each([
    ["all fit", { interactive: 10, bulk: 2 }, 16, 0, { interactive: 10, bulk: 2 }],
    ["interactive first, bulk its share", { interactive: 99, bulk: 99 }, 16, 0, { interactive: 14, bulk: 2 }],
    ["bulk does not make interactive wait", { interactive: 3, bulk: 99 }, 16, 0, { interactive: 3, bulk: 2 }],
    ["bulk alone takes the batch", { interactive: 0, bulk: 99 }, 16, 0, { interactive: 0, bulk: 16 }],
    ["bulk gets what it is owed", { interactive: 99, bulk: 99 }, 16, 6, { interactive: 8, bulk: 8 }],
    ["a batch of one row is interactive", { interactive: 9, bulk: 9 }, 1, 0, { interactive: 1, bulk: 0 }],
    ["until bulk is owed a row", { interactive: 9, bulk: 9 }, 1, 0.9, { interactive: 0, bulk: 1 }],
    ["no bulk waits", { interactive: 99, bulk: 0 }, 16, 9, { interactive: 16, bulk: 0 }],
  ])("%s", (_, waiting, maxRows, credit, expected) => {
    expect(splitLanes(waiting, maxRows, "interactive", credit)).toEqual(expected);
  });

  test("where bulk leads it takes the batch and interactive the rest", () => {
    expect(splitLanes({ interactive: 99, bulk: 12 }, 16, "bulk", 16)).toEqual({ interactive: 4, bulk: 12 });
  });

  const rows = fc.nat({ max: 1000 });
  test("a batch is never too full, bulk never gets less than it is owed, and interactive takes the rest", () => {
    fc.assert(
      fc.property(
        rows,
        rows,
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0, max: 300, noNaN: true }),
        (...args) => {
          const [interactive, bulk, maxRows, credit] = args;
          const split = splitLanes({ interactive, bulk }, maxRows, "interactive", Math.min(credit, maxRows));
          const owed = Math.min(Math.floor(Math.min(credit, maxRows) + maxRows * BULK_SHARE), maxRows);
          const share = interactive === 0 ? maxRows : owed;
          expect(split.bulk).toBe(Math.min(bulk, share));
          expect(split.interactive).toBe(Math.min(interactive, maxRows - split.bulk));
        },
      ),
    );
  });

  test("bulk gets its share of rows in the long run, whatever the batch size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (maxRows) => {
        let credit = 0;
        let taken = 0;
        const batches = 80;
        for (let batch = 0; batch < batches; batch++) {
          const { bulk } = splitLanes({ interactive: 1000, bulk: 1000 }, maxRows, "interactive", credit);
          credit = nextBulkCredit(credit, maxRows, bulk, true);
          taken += bulk;
        }
        expect(Math.abs(taken - batches * maxRows * BULK_SHARE)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("nextBulkCredit", () => {
  test("bulk entries of another shape lead a batch after as many batches as their share says", () => {
    let credit = 0;
    let batches = 0;
    while (leadingLane({ interactive: true, bulk: true }, credit, 16) === "interactive") {
      credit = nextBulkCredit(credit, 16, 0, true);
      batches++;
    }
    expect(batches).toBe(1 / BULK_SHARE);
  });

  test("nothing is owed once only one lane waits", () => {
    expect(nextBulkCredit(9, 16, 0, false)).toBe(0);
  });
});
