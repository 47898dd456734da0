import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { isRetried, retryDelayMs } from "./retry-policy.ts";

/** Times without any answer: how long to wait before the next try, and when to give up. Times are in milliseconds of one clock. */
export interface Outage {
  /** The delay before the next try, or the error that ends it all: `error` itself where trying again would not help. */
  failed(error: AssayError, nowMs: number): { readonly delayMs: number } | { readonly giveUp: AssayError };
  /** An answer came: what failed before no longer counts. */
  answered(): void;
  /** When to give up if no answer comes; undefined while nothing fails. */
  readonly endsAtMs: number | undefined;
  /** The error to give up with. */
  givenUp(nowMs: number): AssayError;
}

/** Makes an outage that has not begun. */
export function createOutage(
  origin: string,
  retryTimeoutMs: number,
  random: () => number = Math.random,
): Outage {
  let sinceMs: number | undefined;
  let attempts = 0;
  let last: AssayError | undefined;
  const outage: Outage = {
    failed(error, nowMs) {
      if (!isRetried(error)) return { giveUp: error };
      sinceMs ??= nowMs;
      attempts++;
      last = error;
      if (nowMs - sinceMs >= retryTimeoutMs) return { giveUp: outage.givenUp(nowMs) };
      return { delayMs: retryDelayMs(attempts, error, random()) };
    },
    answered() {
      sinceMs = undefined;
      attempts = 0;
    },
    get endsAtMs() {
      return sinceMs === undefined ? undefined : sinceMs + retryTimeoutMs;
    },
    givenUp(nowMs) {
      const seconds = ((nowMs - (sinceMs ?? nowMs)) / 1000).toFixed(1);
      const failures = attempts === 1 ? "1 failure" : `${attempts} failures`;
      const message = `${origin} gave no answer for ${seconds} s (${failures}); the last was: ${last?.message ?? "none"}`;
      return new AssayError(last?.reason ?? Reason.SERVER_UNREACHABLE, message, { cause: last });
    },
  };
  return outage;
}
