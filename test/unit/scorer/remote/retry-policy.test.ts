import fc from "fast-check";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../../../src/errors.ts";
import {
  fromServer,
  isRetried,
  isWaitedForAtOpening,
  mayBeItemsFault,
  Outage,
  retryDelayMs,
} from "../../../../src/scorer/remote/retry-policy.ts";

const failure = (reason: Reason, retryAfterMs?: number) =>
  new AssayError(reason, "failed", retryAfterMs === undefined ? {} : { retryAfterMs });

const PASSING: Reason[] = [
  Reason.MEMORY_FULL,
  Reason.SERVER_UNREACHABLE,
  Reason.SHUTTING_DOWN,
  Reason.MODEL_NOT_READY,
  Reason.QUEUE_FULL,
  Reason.INSTANCE_LOST,
  Reason.RUN_TIMEOUT,
  Reason.DEADLINE_EXCEEDED,
  Reason.CANCELLED,
];

test("what passes is retried, and what the server asks to retry; nothing else", () => {
  for (const [name, reason] of Object.entries(Reason)) {
    expect(isRetried(failure(reason)), name).toBe(PASSING.includes(reason));
    expect(isRetried(failure(reason, 0)), name).toBe(true);
  }
});

test("what ends a worker or takes too long may be an item's own fault, a model that loads is not", () => {
  for (const reason of [Reason.INSTANCE_LOST, Reason.RUN_TIMEOUT, Reason.DEADLINE_EXCEEDED]) {
    expect(mayBeItemsFault(failure(reason))).toBe(true);
  }
  expect(mayBeItemsFault(failure(Reason.MODEL_NOT_READY))).toBe(false);
});

test("opening waits for a model that loads and for a proxy's server, not for a port where nothing listens", () => {
  expect(isWaitedForAtOpening(failure(Reason.MODEL_NOT_READY))).toBe(true);
  expect(isWaitedForAtOpening(failure(Reason.SERVER_UNREACHABLE, 1000))).toBe(true);
  expect(isWaitedForAtOpening(failure(Reason.SERVER_UNREACHABLE))).toBe(false);
  expect(isWaitedForAtOpening(failure(Reason.MODEL_NOT_FOUND))).toBe(false);
});

test.each([
  [1, 50, 100],
  [2, 100, 200],
  [5, 800, 1600],
  [6, 1600, 3200],
  [7, 2500, 5000],
  [1000, 2500, 5000],
])("try %i waits between %i and %i ms", (attempt, least, most) => {
  expect(retryDelayMs(attempt, failure(Reason.INSTANCE_LOST), 0)).toBe(least);
  expect(retryDelayMs(attempt, failure(Reason.INSTANCE_LOST), 1)).toBe(most);
});

test("no try comes before the server's own delay", () => {
  fc.assert(
    fc.property(
      fc.nat(50),
      fc.nat(20_000),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (attempt, asked, random) => {
        const delay = retryDelayMs(attempt + 1, failure(Reason.QUEUE_FULL, asked), random);
        expect(delay).toBeGreaterThanOrEqual(asked);
        expect(delay).toBeLessThanOrEqual(Math.max(asked, 5000));
      },
    ),
  );
});

test("what a server answered has its address, except where it concerns the rows of one request", () => {
  const refused = new AssayError(Reason.MODEL_NOT_FOUND, "no model x", { retryAfterMs: 7 });
  const named = fromServer("http://h:1", refused);
  expect(named).toMatchObject({
    reason: Reason.MODEL_NOT_FOUND,
    message: "http://h:1: no model x",
    retryAfterMs: 7,
  });
  expect(fromServer("http://h:1", named)).toBe(named);
  const ofRows = new AssayError(Reason.ROWS_REFUSED, "a token id of 9 came");
  expect(fromServer("http://h:1", ofRows)).toBe(ofRows);
});

const ORIGIN = "http://localhost:8080";
const refused = new AssayError(Reason.SERVER_UNREACHABLE, "nothing listens there");

test("delays grow from failure to failure, and begin anew after an answer", () => {
  const outage = new Outage(ORIGIN, 60_000, () => 0);
  expect(outage.endsAtMs).toBeUndefined();
  expect(outage.failed(refused, 1000)).toEqual({ delayMs: 50 });
  expect(outage.failed(refused, 1100)).toEqual({ delayMs: 100 });
  expect(outage.endsAtMs).toBe(61_000);
  outage.answered();
  expect(outage.endsAtMs).toBeUndefined();
  expect(outage.failed(refused, 90_000)).toEqual({ delayMs: 50 });
  expect(outage.endsAtMs).toBe(150_000);
});

test("it gives up once the time has passed, and says what came last, how long and how often", () => {
  const outage = new Outage(ORIGIN, 60_000, () => 0);
  outage.failed(new AssayError(Reason.SHUTTING_DOWN, "shutting down"), 0);
  expect(outage.failed(refused, 59_999)).toHaveProperty("delayMs");
  const { giveUp } = outage.failed(refused, 60_000) as { giveUp: AssayError };
  expect(giveUp).toMatchObject({
    reason: Reason.SERVER_UNREACHABLE,
    message: `${ORIGIN} gave no answer for 60.0 s (3 failures); the last was: nothing listens there`,
    cause: refused,
  });
});

test("what does not pass ends it at once, as it is", () => {
  const error = new AssayError(Reason.MODEL_NOT_FOUND, "no such model");
  expect(new Outage(ORIGIN, 60_000).failed(error, 0)).toEqual({ giveUp: error });
});
