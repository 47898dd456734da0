/** When what failed is tried again, and when no more: pure decisions, and the count of what failed. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { counted } from "../../wording/counted.ts";

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

/** How many refusals that may be an item's own fault are taken for that. */
export const MOST_REFUSALS_OF_AN_ITEM = 5;

const PASSING: ReadonlySet<Reason> = new Set([
  Reason.SERVER_UNREACHABLE,
  Reason.SHUTTING_DOWN,
  Reason.MODEL_NOT_READY,
  Reason.QUEUE_FULL,
  Reason.MEMORY_FULL,
  Reason.INSTANCE_LOST,
  Reason.RUN_TIMEOUT,
  Reason.DEADLINE_EXCEEDED,
  Reason.CANCELLED,
]);

const PERHAPS_THE_ITEMS_FAULT: ReadonlySet<Reason> = new Set([
  Reason.INSTANCE_LOST,
  Reason.RUN_TIMEOUT,
  Reason.DEADLINE_EXCEEDED,
]);

/** Concern the rows of one request, which the table's file and row name. */
const OF_ONE_REQUEST: ReadonlySet<Reason> = new Set([
  Reason.INVALID_REQUEST,
  Reason.RUN_FAILED,
  Reason.ROWS_REFUSED,
  Reason.REQUEST_TOO_LARGE,
  Reason.OUTPUT_TOO_LARGE,
  Reason.MESSAGE_TOO_LARGE,
]);

/** An error that a server answered, with the server's address, unless it concerns the rows of one request. */
export function fromServer(origin: string, error: AssayError): AssayError {
  if (OF_ONE_REQUEST.has(error.reason) || error.message.includes(origin)) return error;
  const { reason, message, violations, violationCount, retryAfterMs } = error;
  return new AssayError(reason, `${origin}: ${message}`, {
    cause: error,
    violations,
    violationCount,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Whether the same may succeed later: the server says so with RetryInfo, or the reason is one that passes. */
export function isRetried(error: AssayError): boolean {
  return error.retryAfterMs !== undefined || PASSING.has(error.reason);
}

/** Whether the item itself may be why it was refused: it may have ended the worker, or take too long. */
export function mayBeItemsFault(error: AssayError): boolean {
  return PERHAPS_THE_ITEMS_FAULT.has(error.reason);
}

/**
 * Whether opening a scorer waits for this to pass. A server that does not answer at all is not waited for: then the URL is wrong
 * more often than the server late.
 */
export function isWaitedForAtOpening(error: AssayError): boolean {
  return isRetried(error) && (error.reason !== Reason.SERVER_UNREACHABLE || error.retryAfterMs !== undefined);
}

/**
 * How long to wait before try number `attempt` (from 1) after a failure: doubling from 100 ms to 5 s, the upper half of it at
 * random so that clients do not come back together, and never less than the server asked for. `random` is in [0, 1).
 */
export function retryDelayMs(
  attempt: number,
  error: { readonly retryAfterMs?: number | undefined },
  random: number,
): number {
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.max(error.retryAfterMs ?? 0, longest * (0.5 + random / 2));
}

/** Times without any answer: how long to wait before the next try, and when to give up. Times are in milliseconds of one clock. */
export class Outage {
  private readonly origin: string;
  private readonly retryTimeoutMs: number;
  private readonly random: () => number;
  private sinceMs: number | undefined;
  private attempts = 0;
  private last: AssayError | undefined;

  constructor(origin: string, retryTimeoutMs: number, random: () => number = Math.random) {
    this.origin = origin;
    this.retryTimeoutMs = retryTimeoutMs;
    this.random = random;
  }

  /** The delay before the next try, or the error that ends it all: `error` itself where trying again would not help. */
  failed(error: AssayError, nowMs: number): { readonly delayMs: number } | { readonly giveUp: AssayError } {
    if (!isRetried(error)) return { giveUp: error };
    this.sinceMs ??= nowMs;
    this.attempts++;
    this.last = error;
    if (nowMs - this.sinceMs >= this.retryTimeoutMs) return { giveUp: this.givenUp(nowMs) };
    return { delayMs: retryDelayMs(this.attempts, error, this.random()) };
  }

  /** An answer came: what failed before no longer counts. */
  answered(): void {
    this.sinceMs = undefined;
    this.attempts = 0;
  }

  /** When to give up if no answer comes; undefined while nothing fails. */
  get endsAtMs(): number | undefined {
    return this.sinceMs === undefined ? undefined : this.sinceMs + this.retryTimeoutMs;
  }

  /** The error to give up with. */
  givenUp(nowMs: number): AssayError {
    const { last } = this;
    const seconds = ((nowMs - (this.sinceMs ?? nowMs)) / 1000).toFixed(1);
    const message = `${this.origin} gave no answer for ${seconds} s (${counted(this.attempts, "failure")}); the last was: ${last?.message ?? "none"}`;
    return new AssayError(last?.reason ?? Reason.SERVER_UNREACHABLE, message, { cause: last });
  }
}
