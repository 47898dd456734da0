import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { NOT_YET, type TakenEntry } from "../../../src/batcher/batcher.ts";
import { AssayError } from "../../../src/errors.ts";
import { fakeBatcher, succeedAll } from "../../support/servers/fake-pool.ts";
import { affineAnswer, affineEntry, type TestEntry, turn } from "../../support/servers/scoring-core.ts";
import { silentLog } from "../../support/servers/silent-log.ts";

const runFailed = new AssayError(Reason.RUN_FAILED, "a row that the model cannot take");

describe("what runs together", () => {
  test("an idle instance takes what came in a turn of the loop, what comes meanwhile gathers", async () => {
    const { pool, batcher } = fakeBatcher({ maxBatchSize: 3 });
    batcher.enqueue(affineEntry({ columns: 1 }));
    await turn();
    for (let first = 1; first < 6; first++) batcher.enqueue(affineEntry({ first, columns: 1 }));
    await turn();
    expect(pool.held.map((batch) => batch.rows)).toEqual([[0]]);
    pool.held[0]!.succeed();
    expect(pool.held.map((batch) => batch.rows)).toEqual([[1, 2, 3]]);
    pool.held[0]!.succeed();
    expect(pool.held.map((batch) => batch.rows)).toEqual([[4, 5]]);
  });

  test("entries whose shapes differ never share a batch", async () => {
    const { pool, batcher } = fakeBatcher();
    batcher.enqueue(affineEntry({ columns: 1 }));
    await turn();
    for (const columns of [1, 2, 1, 2]) batcher.enqueue(affineEntry({ columns }));
    pool.held[0]!.succeed();
    expect(pool.held[0]!.shape).toEqual([2, 1]);
    pool.held[0]!.succeed();
    expect(pool.held[0]!.shape).toEqual([2, 2]);
  });

  test("entries that are not to be joined run one by one, in pieces of the most rows", async () => {
    const { pool, batcher } = fakeBatcher({ joinsEntries: false, maxBatchSize: 3 });
    for (const [first, rowCount] of [
      [1, 2],
      [3, 1],
      [4, 4],
    ] as const)
      batcher.enqueue(affineEntry({ first, rowCount, columns: 1 }));
    const ran: (readonly number[])[] = [];
    for (await turn(); pool.held.length > 0; await turn()) {
      ran.push(pool.held[0]!.rows);
      pool.held[0]!.succeed();
    }
    expect(ran).toEqual([[1, 2], [3], [4, 5, 6], [7]]);
  });

  test.each([
    ["within-request", [[1, 2, 3, 4], [5]]],
    ["single-rows", [[1], [2], [3], [4], [5]]],
  ] as const)("%s never joins entries", async (batching, expected) => {
    const { pool, batcher } = fakeBatcher({ batching, maxBatchSize: 2 });
    batcher.enqueue(affineEntry({ columns: 1 }));
    await turn();
    batcher.enqueue(affineEntry({ first: 1, rowCount: 4, columns: 1 }));
    batcher.enqueue(affineEntry({ first: 5, columns: 1 }));
    pool.held[0]!.succeed();
    const ran: (readonly number[])[] = [];
    while (pool.held.length > 0) {
      ran.push(pool.held[0]!.rows);
      pool.held[0]!.succeed();
    }
    expect(ran).toEqual(expected);
  });

  test("large batches of several models begin in turns of their own, small ones do not wait for them", async () => {
    const models = [fakeBatcher(), fakeBatcher(), fakeBatcher()];
    const small = fakeBatcher();
    for (const { batcher } of models) batcher.enqueue(affineEntry({ columns: 100_000 }));
    small.batcher.enqueue(affineEntry());
    const begun = () => models.filter(({ pool }) => pool.held.length > 0).length;
    await turn();
    expect([begun(), small.pool.held.length]).toEqual([1, 1]);
    const seen = new Set<number>();
    while (begun() < 3) {
      seen.add(begun());
      await turn();
    }
    expect(seen).toEqual(new Set([1, 2]));
  });

  test("instances that are idle together take large batches one a turn", async () => {
    const { pool, batcher } = fakeBatcher({ maxBatchSize: 1 }, 2);
    for (let first = 0; first < 2; first++) batcher.enqueue(affineEntry({ first, columns: 100_000 }));
    await turn();
    expect(pool.held.length).toBe(1);
    for (let i = 0; i < 3; i++) await turn();
    expect(pool.held.map((batch) => batch.rows[0])).toEqual([0, 1]);
  });

  test("without a batch dimension the shape is the entry's own", async () => {
    const { pool, batcher } = fakeBatcher({ batching: "no-batch-dimension" });
    batcher.enqueue(affineEntry({ columns: 3 }));
    await turn();
    expect(pool.held[0]!.shape).toEqual([3]);
  });

  test("interactive rows overtake bulk rows, which get their share", async () => {
    const { pool, batcher } = fakeBatcher({ maxBatchSize: 8 });
    batcher.enqueue(affineEntry({ columns: 1 }));
    await turn();
    for (let i = 0; i < 16; i++) batcher.enqueue(affineEntry({ first: 100 + i, columns: 1, lane: "bulk" }));
    for (let i = 0; i < 16; i++) batcher.enqueue(affineEntry({ first: 1 + i, columns: 1 }));
    pool.held[0]!.succeed();
    expect(pool.held[0]!.rows).toEqual([1, 2, 3, 4, 5, 6, 7, 100]);
  });

  test("the outputs of a batch are those that its entries want", async () => {
    const { pool, batcher } = fakeBatcher();
    batcher.enqueue(affineEntry());
    await turn();
    batcher.enqueue(affineEntry({ outputNames: ["y"] }));
    batcher.enqueue(affineEntry({ outputNames: ["z", "y"] }));
    pool.held[0]!.succeed();
    expect(pool.held[0]!.outputNames).toEqual(["y", "z"]);
    batcher.enqueue(affineEntry({ outputNames: ["y"] }));
    batcher.enqueue(affineEntry({ outputNames: [] }));
    pool.held[0]!.succeed();
    expect(pool.held[0]!.outputNames).toEqual([]);
  });

  test("entries that want an output without rows run alone, also among others", async () => {
    const { pool, batcher } = fakeBatcher({ rowlessOutputNames: ["mean"] });
    for (const [first, outputNames] of [["y"], ["y", "mean"], ["y"], []].entries()) {
      batcher.enqueue(affineEntry({ first, columns: 1, outputNames }));
    }
    const ran: (readonly number[])[] = [];
    for (await turn(); pool.held.length > 0; await turn()) {
      ran.push(pool.held[0]!.rows);
      pool.held[0]!.succeed();
    }
    expect(ran).toEqual([[0, 2], [1], [3]]);
  });

  test("a queue delay gathers rows while an instance is idle, and a full batch waits for nobody", () => {
    vi.useFakeTimers();
    const endOfTurn = () => vi.advanceTimersByTime(0);
    try {
      const { pool, batcher } = fakeBatcher({ maxQueueDelayMicroseconds: 5_000, maxBatchSize: 3 });
      batcher.enqueue(affineEntry({ columns: 1 }));
      batcher.enqueue(affineEntry({ first: 1, columns: 1 }));
      endOfTurn();
      expect(pool.held).toEqual([]);
      vi.advanceTimersByTime(4);
      expect(pool.held).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(pool.held[0]!.rows).toEqual([0, 1]);
      pool.held[0]!.succeed();
      for (let first = 2; first < 5; first++) batcher.enqueue(affineEntry({ first, columns: 1 }));
      endOfTurn();
      expect(pool.held[0]!.rows).toEqual([2, 3, 4]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("what is answered", () => {
  test("a failed batch of many entries is run in halves until the bad one is alone", async () => {
    const { pool, batcher } = fakeBatcher();
    batcher.enqueue(affineEntry({ first: 1000, columns: 1 }));
    await turn();
    const entries = Array.from({ length: 16 }, (_, first) => affineEntry({ first, columns: 1 }));
    for (const entry of entries) batcher.enqueue(entry);
    pool.held[0]!.succeed();
    let runs = 0;
    for (; pool.held.length > 0; runs++) {
      const batch = pool.held[0]!;
      if (batch.rows.includes(11)) batch.fail(runFailed);
      else batch.succeed();
    }
    expect(runs).toBe(9);
    for (const [first, entry] of entries.entries()) {
      expect(entry.answerCount).toBe(1);
      if (first === 11) await expect(entry.answer).rejects.toBe(runFailed);
      else await expect(entry.answer).resolves.toMatchObject([{ shape: [1, 1] }]);
    }
  });

  test("what a lost instance held fails and is not run again", async () => {
    const { pool, batcher } = fakeBatcher();
    const entries = [affineEntry(), affineEntry()];
    for (const entry of entries) batcher.enqueue(entry);
    await turn();
    pool.held[0]!.fail(new AssayError(Reason.INSTANCE_LOST, "gone"));
    await turn();
    expect(pool.held).toEqual([]);
    await expect(entries[0]!.answer).rejects.toMatchObject({ reason: Reason.INSTANCE_LOST });
    await expect(entries[1]!.answer).rejects.toMatchObject({ reason: Reason.INSTANCE_LOST });
  });

  test("a callback that throws does not take the answers of others", async () => {
    const logged: object[] = [];
    const { pool, batcher } = fakeBatcher({ log: { ...silentLog, error: (fields) => logged.push(fields) } });
    batcher.enqueue(affineEntry());
    const bug = new Error("a bug above");
    batcher.enqueue({
      ...affineEntry(),
      onOutputs: () => {
        throw bug;
      },
    });
    const after = affineEntry();
    batcher.enqueue(after);
    await succeedAll(pool);
    expect(after.answerCount).toBe(1);
    expect(logged).toMatchObject([{ err: bug }]);
  });

  test("while no instance will be up soon, those that wait and those that come hear why", async () => {
    const { pool, batcher } = fakeBatcher();
    const outage = new AssayError(Reason.MODEL_NOT_READY, "no live instance", { retryAfterMs: 1000 });
    const [running, waiting, coming] = [affineEntry(), affineEntry(), affineEntry()];
    batcher.enqueue(running);
    await turn();
    batcher.enqueue(waiting);
    pool.outage = outage;
    pool.held[0]!.fail(new AssayError(Reason.INSTANCE_LOST, "gone"));
    await expect(waiting.answer).rejects.toBe(outage);
    batcher.enqueue(coming);
    await expect(coming.answer).rejects.toBe(outage);
  });
});

describe("when it passed from stage to stage", () => {
  test("an entry is enqueued, started with the first of its rows, and ended with the last", async () => {
    vi.useFakeTimers({ now: 1_000 });
    try {
      const { pool, batcher } = fakeBatcher({ maxBatchSize: 2 });
      const [zero] = [performance.now()];
      const { times, ...entry } = affineEntry({ rowCount: 3, columns: 1 });
      vi.advanceTimersByTime(5);
      batcher.enqueue({ ...entry, times });
      expect(times).toEqual({ enqueuedAt: zero + 5, startedAt: NOT_YET, endedAt: NOT_YET });
      vi.advanceTimersByTime(2);
      const startedAt = times.startedAt;
      expect(startedAt).toBeGreaterThanOrEqual(zero + 5);
      vi.advanceTimersByTime(3);
      pool.held[0]!.succeed();
      expect(times.endedAt).toBe(NOT_YET);
      vi.advanceTimersByTime(4);
      pool.held[0]!.succeed();
      expect(times).toEqual({ enqueuedAt: zero + 5, startedAt, endedAt: zero + 14 });
    } finally {
      vi.useRealTimers();
    }
  });

  test("what fails ends too, what is taken back does not", async () => {
    const { pool, batcher } = fakeBatcher();
    const [failed, gone] = [affineEntry(), affineEntry()];
    batcher.enqueue(failed);
    const taken = batcher.enqueue(gone)!;
    await turn();
    batcher.cancel(taken);
    pool.held[0]!.fail(new AssayError(Reason.INSTANCE_LOST, "gone"));
    expect(failed.times.endedAt).toBeGreaterThanOrEqual(failed.times.startedAt);
    expect(gone.times).toMatchObject({ startedAt: failed.times.startedAt, endedAt: NOT_YET });
  });
});

describe("the end", () => {
  test("drain answers all that it has and takes no more", async () => {
    const { pool, batcher } = fakeBatcher();
    const entries = [affineEntry(), affineEntry()];
    for (const entry of entries) batcher.enqueue(entry);
    const drained = batcher.drain();
    const late = affineEntry();
    batcher.enqueue(late);
    await succeedAll(pool);
    await drained;
    expect(entries.map((entry) => entry.answerCount)).toEqual([1, 1]);
    await expect(late.answer).rejects.toMatchObject({ reason: Reason.SHUTTING_DOWN });
  });

  test("close waits for what runs and ends what waits", async () => {
    const { pool, batcher } = fakeBatcher();
    const [running, waiting] = [affineEntry(), affineEntry()];
    batcher.enqueue(running);
    await turn();
    batcher.enqueue(waiting);
    const closed = batcher.close();
    expect(waiting.answerCount).toBe(0);
    pool.held[0]!.succeed();
    await closed;
    expect(pool.held).toEqual([]);
    await expect(running.answer).resolves.toHaveLength(1);
    await expect(waiting.answer).rejects.toMatchObject({ reason: Reason.SHUTTING_DOWN });
  });
});

describe("any order of events", () => {
  const action = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("enqueue" as const),
        endsTurn: fc.boolean(),
        rowCount: fc.nat({ max: 40 }),
        columns: fc.integer({ min: 1, max: 2 }),
        isBulk: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("succeed" as const),
        endsTurn: fc.boolean(),
        index: fc.nat(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom("fail" as const, "lose" as const),
        endsTurn: fc.boolean(),
        index: fc.nat(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("cancel" as const), endsTurn: fc.boolean(), index: fc.nat() }),
    },
  );

  test("nothing is lost, nothing is answered twice, and every answer is the caller's own rows", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 60 }),
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom("across-requests" as const, "within-request" as const, "single-rows" as const),
        async (actions, maxBatchSize, instances, batching) => {
          const { pool, batcher } = fakeBatcher({ maxBatchSize, batching, maxQueueRows: 200 }, instances);
          const entries: {
            entry: TestEntry;
            ticket: TakenEntry | undefined;
            answer: number[];
            isCancelled: boolean;
          }[] = [];
          let first = 0;
          for (const step of actions) {
            if (step.endsTurn) await turn();
            const batch = "index" in step ? pool.held[step.index % pool.held.length] : undefined;
            if (step.kind === "enqueue") {
              const options = {
                ...step,
                first,
                lane: step.isBulk ? ("bulk" as const) : ("interactive" as const),
              };
              first += step.rowCount;
              const entry = affineEntry(options);
              const ticket = batcher.enqueue(entry);
              entries.push({ entry, ticket, answer: affineAnswer(options), isCancelled: false });
            } else if (step.kind === "cancel") {
              const one = entries[step.index % entries.length];
              if (one === undefined || one.entry.answerCount > 0) continue;
              one.isCancelled = true;
              if (one.ticket !== undefined) batcher.cancel(one.ticket);
            } else if (step.kind === "succeed") batch?.succeed();
            else batch?.fail(step.kind === "fail" ? runFailed : new AssayError(Reason.INSTANCE_LOST, "gone"));
            if (batching === "within-request") continue;
            for (const { shape } of pool.held) expect(shape[0]).toBeLessThanOrEqual(maxBatchSize);
          }
          await succeedAll(pool);
          expect(batcher.depth).toEqual({ rows: 0, bytes: 0, running: 0, entries: 0 });
          for (const { entry, answer, isCancelled } of entries) {
            expect(entry.answerCount).toBe(isCancelled ? 0 : 1);
            if (isCancelled) continue;
            const outputs = await entry.answer.catch(() => undefined);
            if (outputs !== undefined) expect(Array.from(outputs[0]!.data, Number)).toEqual(answer);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
