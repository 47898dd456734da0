import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";

/** What an entry is told whose deadline has passed. `now` and `enqueuedAt` are on `performance.now()`'s clock. */
export function missedDeadline(
  entry: { readonly deadlineAt: number },
  enqueuedAt: number,
  now: number,
  hasBegun: boolean,
): AssayError {
  if (entry.deadlineAt <= enqueuedAt) {
    return new AssayError(Reason.DEADLINE_EXCEEDED, "the deadline had passed when the rows came");
  }
  const waitedMs = Math.round(now - enqueuedAt);
  const where = hasBegun ? "running" : "waiting to run";
  return new AssayError(
    Reason.DEADLINE_EXCEEDED,
    `the deadline passed after ${waitedMs} ms, the rows were still ${where}`,
  );
}
