import { expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { NOT_YET } from "../../../src/batcher/batcher.ts";
import { ModelCounters } from "../../../src/registry/model-counters.ts";

const times = { receivedAt: 10, enqueuedAt: 11, startedAt: 13, endedAt: 17 };

test("stages of answered requests add up to the time of the whole, and rows are counted", () => {
  const counters = new ModelCounters();
  counters.succeeded(3, times, 25);
  counters.succeeded(2, times, 25);
  expect(counters).toMatchObject({
    successCount: 2,
    inferenceCount: 5,
    successMs: 30,
    inputMs: 2,
    queueMs: 4,
    inferMs: 8,
    outputMs: 16,
    lastInferenceAt: 25,
    failCount: 0,
  });
});

test("a request that never reached the queue fails without a stage", () => {
  const counters = new ModelCounters();
  counters.failed(
    { receivedAt: 10, enqueuedAt: NOT_YET, startedAt: NOT_YET, endedAt: NOT_YET },
    12,
    Reason.QUEUE_FULL,
  );
  expect(counters).toMatchObject({ failCount: 1, failMs: 2, queueMs: 0, successCount: 0 });
  expect([...counters.failures]).toEqual([[Reason.QUEUE_FULL, 1]]);
});

test("runs are counted by their rows", () => {
  const counters = new ModelCounters();
  counters.ran(4, 2, "full");
  counters.ran(4, 3, "full");
  counters.ran(1, 1, "idle");
  expect(counters.executionCount).toBe(3);
  expect([...counters.batches]).toEqual([
    [4, { count: 2, ms: 5 }],
    [1, { count: 1, ms: 1 }],
  ]);
  expect(counters.batchEnds).toEqual({ full: 2, delay: 0, idle: 1 });
});

test("counts of several edges add up, and the last inference is the latest of any, whatever clock its thread has", () => {
  const times = { receivedAt: 1, enqueuedAt: 2, startedAt: 4, endedAt: 7 };
  const [one, other, none] = [new ModelCounters(), new ModelCounters(), new ModelCounters()];
  one.succeeded(2, times, 10);
  one.ran(2, 3, "idle");
  other.succeeded(3, times, 20);
  other.failed(times, 5, Reason.QUEUE_FULL);
  other.ran(2, 4, "idle");
  other.ran(3, 1, "full");
  const sum = new ModelCounters();
  for (const counters of [none, one, other]) sum.add(structuredClone(counters), performance.timeOrigin - 5);
  expect(sum).toMatchObject({
    successCount: 2,
    inferenceCount: 5,
    executionCount: 3,
    failCount: 1,
    successMs: 28,
    lastInferenceAt: 15,
  });
  expect([...sum.batches]).toEqual([
    [2, { count: 2, ms: 7 }],
    [3, { count: 1, ms: 1 }],
  ]);
});
