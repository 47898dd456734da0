import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../../../src/errors.ts";
import { createOutage } from "../../../../src/scorer/remote/outage.ts";

const ORIGIN = "http://localhost:8080";
const refused = new AssayError(Reason.SERVER_UNREACHABLE, "nothing listens there");

test("delays grow from failure to failure, and begin anew after an answer", () => {
  const outage = createOutage(ORIGIN, 60_000, () => 0);
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
  const outage = createOutage(ORIGIN, 60_000, () => 0);
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
  expect(createOutage(ORIGIN, 60_000).failed(error, 0)).toEqual({ giveUp: error });
});
