import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError, withoutStack } from "../errors.ts";

/** What an entry is told whose deadline has passed. `now` and `enqueuedAt` are on `performance.now()`'s clock. */
export function missedDeadline(
  entry: { readonly deadlineAt: number },
  enqueuedAt: number,
  now: number,
  hasBegun: boolean,
): AssayError {
  const waitedMs = Math.round(now - enqueuedAt);
  const where = hasBegun ? "running" : "waiting to run";
  const what =
    entry.deadlineAt <= enqueuedAt
      ? "the deadline had passed when the rows came"
      : `the deadline passed after ${waitedMs} ms, the rows were still ${where}`;
  return withoutStack(() => new AssayError(Reason.DEADLINE_EXCEEDED, what));
}
