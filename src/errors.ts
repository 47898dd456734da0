import { Reason } from "../gen/assay/v1/error_pb.ts";
import type { Limit } from "./limits.ts";

/** One rule that a request breaks. */
export interface Violation {
  /** In proto names: `features[3]`, `rows[2].fields["age"]`, `inputs[0].shape`. */
  readonly field: string;
  /** What came and what was expected. */
  readonly description: string;
  /** The rule's id: a protovalidate rule (`repeated.max_items`) or one of the signature's (`signature.shape`). */
  readonly rule: string;
}

/** Facts that an AssayError may carry beside its reason and message. */
export interface AssayErrorOptions {
  /** What made it fail; logged once at the edge, never sent. */
  readonly cause?: unknown;
  /** The violations, ordered by field path; the edge cuts the list. */
  readonly violations?: readonly Violation[];
  /** How many there are in all. Default: as many as are listed. */
  readonly violationCount?: number;
  /** How long a caller should wait before it tries again. */
  readonly retryAfterMs?: number;
  /** The model that the request names, for errors that are thrown before anybody else can know. */
  readonly modelName?: string;
  /** The limit that it tells of; a call that ends with it counts as one hit. */
  readonly limit?: Limit | undefined;
}

/**
 * The one error class below the edge. `message` is for callers: what came, what was expected, and where.
 * Anything else that is thrown is a bug and reaches callers as INTERNAL with an id.
 */
export class AssayError extends Error {
  readonly reason: Reason;
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  readonly retryAfterMs: number | undefined;
  readonly modelName: string | undefined;
  readonly limit: Limit | undefined;

  constructor(reason: Reason, message: string, options: AssayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AssayError";
    this.reason = reason;
    this.violations = options.violations ?? [];
    this.violationCount = options.violationCount ?? this.violations.length;
    this.retryAfterMs = options.retryAfterMs;
    this.modelName = options.modelName;
    this.limit = options.limit;
  }
}

/** Makes errors without a stack, which costs more than all else of them: for those that callers cause by the thousand. */
export function withoutStack<T>(make: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** What was thrown, in words. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The name of a reason as it stands in ErrorInfo: `QUEUE_FULL`. */
export function reasonName(reason: Reason): string {
  for (const [name, value] of Object.entries(Reason)) {
    if (value === reason) return name;
  }
  return "INTERNAL";
}
