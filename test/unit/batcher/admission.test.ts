import { describe, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { createAdmission, createDrainRate, nextRate, type Waiting } from "../../../src/batcher/admission.ts";
import type { Lane } from "../../../src/batcher/batcher.ts";
import type { AssayError } from "../../../src/errors.ts";

const admission = createAdmission("m", { maxQueueRows: 10, maxQueueBytes: 100 }, createDrainRate());

function admit(size: Waiting, lane: Lane, waiting: Waiting): AssayError | undefined {
  const entry = { rowCount: size.rows, byteCount: size.bytes, lane };
  const error = admission.tooLarge(entry);
  if (error !== undefined || admission.hasRoom(entry, waiting)) return error;
  return admission.queueFull(waiting, entry);
}

test.each([
  ["fills the rows", { rows: 4, bytes: 1 }, { rows: 6, bytes: 0 }, undefined],
  ["fills the bytes", { rows: 1, bytes: 40 }, { rows: 1, bytes: 60 }, undefined],
  ["one row too many", { rows: 5, bytes: 1 }, { rows: 6, bytes: 0 }, Reason.QUEUE_FULL],
  ["one byte too many", { rows: 1, bytes: 41 }, { rows: 1, bytes: 60 }, Reason.QUEUE_FULL],
  ["never fits by rows", { rows: 11, bytes: 1 }, { rows: 0, bytes: 0 }, Reason.REQUEST_TOO_LARGE],
  ["never fits by bytes", { rows: 1, bytes: 101 }, { rows: 0, bytes: 0 }, Reason.REQUEST_TOO_LARGE],
])("%s", (_, entry, waiting, reason) => {
  expect(admit(entry, "interactive", waiting)?.reason).toBe(reason);
});

test("a full queue says when to try again, and what never fits does not", () => {
  expect(admit({ rows: 5, bytes: 1 }, "interactive", { rows: 6, bytes: 0 })?.retryAfterMs).toBe(1_000);
  expect(admit({ rows: 11, bytes: 1 }, "interactive", { rows: 0, bytes: 0 })?.retryAfterMs).toBeUndefined();
});

test.each([
  ["within its share", { rows: 2, bytes: 1 }, { rows: 5, bytes: 0 }, undefined],
  ["beyond its share of rows", { rows: 3, bytes: 1 }, { rows: 5, bytes: 0 }, Reason.QUEUE_FULL],
  ["beyond its share of bytes", { rows: 1, bytes: 26 }, { rows: 1, bytes: 50 }, Reason.QUEUE_FULL],
  ["as large as the queue, alone", { rows: 10, bytes: 100 }, { rows: 0, bytes: 0 }, undefined],
])("a bulk entry leaves room for interactive ones: %s", (_, entry, waiting, reason) => {
  expect(admit(entry, "bulk", waiting)?.reason).toBe(reason);
});

test("the first batch sets the rate, later ones move it by a fifth of the difference", () => {
  expect(nextRate(undefined, 100, 50)).toBe(2);
  expect(nextRate(2, 100, 10)).toBeCloseTo(3.6);
});

describe("createDrainRate", () => {
  test("knows nothing at first and says a second", () => {
    expect(createDrainRate().msUntilGone(5)).toBe(1_000);
  });

  test("tells how long waiting rows will take", () => {
    const rate = createDrainRate();
    rate.observe(100, 0, 50);
    expect(rate.msUntilGone(400)).toBe(200);
  });

  test("counts instances that run side by side together", () => {
    const rate = createDrainRate();
    rate.observe(100, 0, 50);
    rate.observe(100, 0, 100);
    expect(rate.msUntilGone(400)).toBe(200);
  });

  test("stays between 10 ms and 30 s", () => {
    const rate = createDrainRate();
    rate.observe(1, 0, 1_000);
    expect(rate.msUntilGone(8_192)).toBe(30_000);
    expect(rate.msUntilGone(0)).toBe(10);
  });

  test("a batch without rows tells nothing", () => {
    const rate = createDrainRate();
    rate.observe(0, 0, 50);
    expect(rate.msUntilGone(400)).toBe(1_000);
  });
});
