/**
 * The one place that knows what a reason is in a protocol. docs/errors.md is this table in words; a test keeps them equal.
 */
import { Code } from "@connectrpc/connect";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { AssayError } from "../../errors.ts";
import type { Limit } from "../../limits.ts";

/** A reason as it is told on the wire. */
export interface ErrorRow {
  readonly code: Code;
  /** For plain HTTP. Connect unary calls get the status that the Connect protocol gives to the code. */
  readonly httpStatus: number;
  /** How long a caller should wait where the error itself does not say; undefined: no RetryInfo and no Retry-After. */
  readonly retryAfterMs?: number;
  /** The same again is refused again, whatever the code says to clients that try again by code. */
  readonly isFinal?: boolean;
}

const ROWS: Readonly<Record<Reason, ErrorRow>> = {
  [Reason.REASON_UNSPECIFIED]: { code: Code.Internal, httpStatus: 500 },
  [Reason.INVALID_REQUEST]: { code: Code.InvalidArgument, httpStatus: 422 },
  [Reason.MODEL_NOT_FOUND]: { code: Code.NotFound, httpStatus: 404 },
  [Reason.MODEL_VERSION_NOT_FOUND]: { code: Code.NotFound, httpStatus: 404 },
  [Reason.MODEL_NOT_READY]: { code: Code.Unavailable, httpStatus: 503, retryAfterMs: 1000 },
  [Reason.QUEUE_FULL]: { code: Code.ResourceExhausted, httpStatus: 429, retryAfterMs: 100 },
  [Reason.DEADLINE_EXCEEDED]: { code: Code.DeadlineExceeded, httpStatus: 504 },
  [Reason.CANCELLED]: { code: Code.Canceled, httpStatus: 499 },
  [Reason.INSTANCE_LOST]: { code: Code.Unavailable, httpStatus: 503, retryAfterMs: 100 },
  [Reason.RUN_FAILED]: { code: Code.Internal, httpStatus: 500 },
  [Reason.RUN_TIMEOUT]: { code: Code.DeadlineExceeded, httpStatus: 504 },
  [Reason.MESSAGE_TOO_LARGE]: { code: Code.ResourceExhausted, httpStatus: 413, isFinal: true },
  [Reason.OUTPUT_TOO_LARGE]: { code: Code.FailedPrecondition, httpStatus: 413 },
  [Reason.SHUTTING_DOWN]: { code: Code.Unavailable, httpStatus: 503, retryAfterMs: 1000 },
  [Reason.LIMIT_REACHED]: { code: Code.ResourceExhausted, httpStatus: 429 },
  [Reason.MEMORY_FULL]: { code: Code.ResourceExhausted, httpStatus: 429, retryAfterMs: 500 },
  [Reason.MODEL_INVALID]: { code: Code.FailedPrecondition, httpStatus: 503 },
  [Reason.CONFIG_INVALID]: { code: Code.FailedPrecondition, httpStatus: 503 },
  [Reason.DEVICE_UNAVAILABLE]: { code: Code.FailedPrecondition, httpStatus: 503 },
  [Reason.UNIMPLEMENTED]: { code: Code.Unimplemented, httpStatus: 404 },
  [Reason.TABLE_INVALID]: { code: Code.FailedPrecondition, httpStatus: 503 },
  [Reason.SERVER_UNREACHABLE]: { code: Code.Unavailable, httpStatus: 503 },
  [Reason.REQUEST_TOO_LARGE]: { code: Code.InvalidArgument, httpStatus: 413 },
  [Reason.ROWS_REFUSED]: { code: Code.InvalidArgument, httpStatus: 400 },
  [Reason.UNAUTHENTICATED]: { code: Code.Unauthenticated, httpStatus: 401 },
  [Reason.PERMISSION_DENIED]: { code: Code.PermissionDenied, httpStatus: 403 },
  [Reason.RATE_EXCEEDED]: { code: Code.ResourceExhausted, httpStatus: 429, retryAfterMs: 1000 },
  [Reason.IDENTITY_UNAVAILABLE]: { code: Code.Unavailable, httpStatus: 503, retryAfterMs: 1000 },
  [Reason.FEATURES_UNAVAILABLE]: { code: Code.Unavailable, httpStatus: 503, retryAfterMs: 200 },
  [Reason.INTERNAL]: { code: Code.Internal, httpStatus: 500 },
};

/** The code, the status and the retry of a reason. */
export function errorRow(reason: Reason): ErrorRow {
  return ROWS[reason] ?? ROWS[Reason.INTERNAL];
}

/** Reasons that come from one limit alone, wherever the error was made: some come from other threads, as reason and message. */
const OF_REASON: Partial<Record<Reason, Limit>> = {
  [Reason.OUTPUT_TOO_LARGE]: "run-bytes",
  [Reason.RUN_TIMEOUT]: "run-timeout-ms",
};

/** Rules that bound how much may come, by their ids. */
const OF_RULE: Readonly<Record<string, Limit>> = {
  "json.depth": "message-depth",
  "json.long_name": "text-characters",
  "json.long_number": "number-digits",
  "json.too_many_members": "message-fields",
  "message.too_many_fields": "message-fields",
  "repeated.max_items": "list-items",
};

/** The limit that the error tells of; undefined where it tells of none. */
export function limitOf({ limit, reason, violations }: AssayError): Limit | undefined {
  if (limit !== undefined) return limit;
  const ofReason = OF_REASON[reason];
  if (ofReason !== undefined) return ofReason;
  for (const { rule } of violations) {
    const ofRule = OF_RULE[rule];
    if (ofRule !== undefined) return ofRule;
  }
  return undefined;
}
