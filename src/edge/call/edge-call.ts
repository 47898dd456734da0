/**
 * The duties of a call, in one place for all protocols: its id, its deadline, its end by the caller, its errors, its log line.
 * Comes in: a stream and what is known of its procedure. Goes out: the service's `Call`, and what the protocol may send.
 * Promises: the deadline is the earlier of the caller's and the server's; whoever waits on `guard` is answered at the
 * deadline or when the caller goes, whatever the stages below do; `end` is called once and logs once.
 */
import { randomBytes } from "node:crypto";
import type { Code } from "@connectrpc/connect";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { CancelReason, ServerStream } from "../../http2/stream.ts";
import { limitHit } from "../../limits.ts";
import { ANONYMOUS, type Caller } from "../../registry/caller.ts";
import { type Call, createCall } from "../../service/call.ts";
import { errorFields, idFields, isServersFault, type LoggedCall, statusOf } from "../access/access-line.ts";
import type { AccessLog } from "../access/access-log.ts";
import type { CallCounters, CountedCall } from "../metrics/call-counters.ts";
import type { CallSpans } from "../trace/call-spans.ts";
import type { CallTracer } from "../trace/call-tracer.ts";
import type { CallDeadlines, TimedCall } from "./call-deadlines.ts";
import { limitOf } from "./error-table.ts";

/** One call at the edge; whoever began it ends it. */
export interface EdgeCall {
  /** The caller's `x-request-id`, or one made here; sent back and logged. */
  readonly id: string;
  readonly call: Call;
  readonly procedure: string;
  /** Whether errors carry google.rpc details. */
  readonly sendsDetails: boolean;
  /** Octets of its body and of its answer's so far, as they are sent. */
  requestBytes: number;
  responseBytes: number;
  /** What HTTP said, where that is not what the error's row says; else 0. */
  httpStatus: number;
  /** Of an error that is none of Assay's. */
  code: Code | undefined;
  /** Why the call must end before its answer; undefined while it may go on. */
  readonly failure: AssayError | undefined;
  /** Called once with `failure`, for whoever reads the request's body: when it is set, where the call has failed by then. */
  onFailure: (failure: AssayError) => void;
  /** The result of `work`, or the call's failure where that comes first. */
  guard<T>(work: Promise<T>): Promise<T>;
  /** The whole of the request's body has come: only the call's deadline is left. */
  bodyArrived(): void;
  /** The caller has gone. */
  cancel(reason: CancelReason): void;
  fail(failure: AssayError): void;
  /** Its deadline has passed, by whatever clock. */
  expire(): void;
  /** Turns whatever was thrown into what callers may see; a bug becomes INTERNAL with the call's id. */
  asAssayError(thrown: unknown): AssayError;
  /** One item of a stream was answered with this error: what is the server's fault is logged, of one call the first ten. */
  itemFailed(itemId: bigint, error: AssayError): void;
  /** Closes the call: takes it off the wheel and logs it with the error that `asAssayError` made last, if any. */
  end(): void;
}

/** What is known of a call when its header block has come. */
export interface EdgeCallOptions {
  readonly procedure: string;
  readonly sendsDetails: boolean;
  readonly protocol: string;
  readonly lane: Call["lane"];
  /** The caller's own timeout; undefined: none. */
  readonly timeoutMs: number | undefined;
  /** The server's call time-out; Infinity for streams that may last. */
  readonly callTimeoutMs: number;
  /** How long the request's body may take, until `bodyArrived`; undefined for bodies that may last. */
  readonly bodyTimeoutMs?: number;
  readonly shared: CallContext;
}

/** What all calls of an edge share. */
export interface CallContext {
  readonly deadlines: CallDeadlines;
  readonly counters: CallCounters;
  readonly access: AccessLog;
  /** Undefined where tracing is off. */
  readonly tracer: CallTracer | undefined;
}

const LOGGED_ITEMS = 10;
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
const ID_PREFIX = randomBytes(6).toString("hex");
let idCount = 0;

/** Begins a call: from now on its deadline runs. */
export function beginCall(stream: ServerStream, options: EdgeCallOptions): EdgeCall {
  // Decided out here: V8 compiles into the constructor only so much of what it calls, and all calls need the rest.
  const trace = options.shared.tracer?.begin(stream.headers, options.procedure);
  return new OpenEdgeCall(stream, options, trace);
}

class OpenEdgeCall implements EdgeCall, TimedCall, LoggedCall {
  readonly id: string;
  readonly stream: ServerStream;
  readonly call: Call;
  readonly procedure: string;
  readonly sendsDetails: boolean;
  requestBytes = 0;
  responseBytes = 0;
  httpStatus = 0;
  code: Code | undefined = undefined;
  failure: AssayError | undefined;
  /** The earlier of the call's deadline and its body's, while that has not come. */
  deadlineAt: number;
  wheelTick = 0;
  wheelBefore: TimedCall | undefined = undefined;
  wheelAfter: TimedCall | undefined = undefined;
  private readonly options: EdgeCallOptions;
  private readonly startedAt = performance.now();
  private readonly timeoutMs: number;
  private readonly counted: CountedCall;
  /** Undefined unless the call's trace is recorded. */
  private readonly trace: CallSpans | undefined;
  private isTimed: boolean;
  private hasBody = false;
  private outcome: AssayError | undefined = undefined;
  private ended = false;
  /** Items that failed by the server's fault. */
  private faultyItems = 0;
  private rejectGuarded: ((failure: AssayError) => void) | undefined = undefined;
  private failureListener: (failure: AssayError) => void = nothing;

  constructor(stream: ServerStream, options: EdgeCallOptions, trace: CallSpans | undefined) {
    const { protocol, lane, bodyTimeoutMs } = options;
    const { deadlines, counters } = options.shared;
    this.trace = trace;
    this.stream = stream;
    const timeoutMs = Math.min(options.timeoutMs ?? Number.POSITIVE_INFINITY, options.callTimeoutMs);
    const givenId = stream.headers.get("x-request-id");
    const isGiven = givenId !== undefined && REQUEST_ID.test(givenId);
    this.id = isGiven ? givenId : `${ID_PREFIX}-${(++idCount).toString(36)}`;
    const deadlineAt = this.startedAt + timeoutMs;
    const caller = (stream.caller as Caller | undefined) ?? ANONYMOUS;
    this.failure = caller === ANONYMOUS ? undefined : caller.refusal();
    this.call = createCall({ receivedAt: this.startedAt, deadlineAt, lane, protocol, trace, caller });
    this.procedure = options.procedure;
    this.sendsDetails = options.sendsDetails;
    this.options = options;
    this.counted = counters.begun(options.procedure, protocol);
    this.timeoutMs = timeoutMs;
    this.deadlineAt =
      bodyTimeoutMs === undefined ? deadlineAt : Math.min(deadlineAt, this.startedAt + bodyTimeoutMs);
    this.isTimed = this.deadlineAt < Number.POSITIVE_INFINITY;
    if (this.isTimed) deadlines.add(this);
  }

  get onFailure(): (failure: AssayError) => void {
    return this.failureListener;
  }

  set onFailure(listener: (failure: AssayError) => void) {
    this.failureListener = listener;
    if (this.failure !== undefined) listener(this.failure);
  }

  bodyArrived(): void {
    this.hasBody = true;
  }

  expire(): void {
    this.fail(deadlineExceeded(this.timeoutMs, this.options));
  }

  onDue(): void {
    this.isTimed = false;
    const { deadlineAt } = this.call;
    if (this.deadlineAt === deadlineAt) {
      this.expire();
    } else if (!this.hasBody) {
      this.fail(bodyTooSlow(this.options.bodyTimeoutMs!));
    } else {
      this.deadlineAt = deadlineAt;
      this.isTimed = deadlineAt < Number.POSITIVE_INFINITY;
      if (this.isTimed) this.options.shared.deadlines.add(this);
    }
  }

  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) {
        work.catch(() => {});
        reject(this.failure);
        return;
      }
      this.rejectGuarded = reject;
      work.then(resolve, reject);
    });
  }

  cancel(reason: CancelReason): void {
    const why = reason.kind === "drain-limit" ? "the drain limit was reached" : "the caller went away";
    this.fail(new AssayError(Reason.CANCELLED, why));
  }

  fail(why: AssayError): void {
    if (this.failure !== undefined || this.ended) return;
    this.failure = why;
    this.rejectGuarded?.(why);
    this.failureListener(why);
    this.call.cancel();
  }

  asAssayError(thrown: unknown): AssayError {
    this.outcome = thrown instanceof AssayError ? thrown : internalError(this.id, thrown);
    return this.outcome;
  }

  itemFailed(itemId: bigint, error: AssayError): void {
    this.countLimit(error);
    if (!isServersFault(error)) return;
    this.faultyItems++;
    if (this.faultyItems > LOGGED_ITEMS) return;
    const fields = { ...idFields(this), itemId: String(itemId), ...errorFields(error) };
    this.options.shared.access.log.error(fields, "item failed");
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.isTimed) this.options.shared.deadlines.remove(this);
    const { access } = this.options.shared;
    if (this.faultyItems > LOGGED_ITEMS) {
      const fields = { ...idFields(this), failedItems: this.faultyItems };
      access.log.error(fields, `more items failed than the ${LOGGED_ITEMS} that were logged`);
    }
    const endedAt = performance.now();
    const durationMs = endedAt - this.startedAt;
    const error = this.outcome ?? this.failure;
    if (error !== undefined) this.countLimit(error);
    this.counted.ended(statusOf(this, error), error?.reason, durationMs);
    if (this.trace !== undefined) this.endTrace(this.trace, endedAt, durationMs, error);
    access.ended(this, durationMs, error, this.options.callTimeoutMs === Number.POSITIVE_INFINITY);
  }

  private endTrace(
    trace: CallSpans,
    endedAt: number,
    durationMs: number,
    error: AssayError | undefined,
  ): void {
    this.counted.recorded(statusOf(this, error), error?.reason, durationMs, trace);
    trace.end(this, endedAt, error);
  }

  private countLimit(error: AssayError): void {
    const isOurDeadline = this.timeoutMs !== this.options.timeoutMs;
    const isLate = error.reason === Reason.DEADLINE_EXCEEDED;
    const limit = limitOf(error) ?? (isLate && isOurDeadline ? "call-timeout-ms" : undefined);
    if (limit !== undefined) limitHit(limit);
  }

  get pattern(): string {
    return this.options.shared.counters.patternOf(this.procedure);
  }
}

function nothing(): void {}

function internalError(id: string, cause: unknown): AssayError {
  return new AssayError(Reason.INTERNAL, `internal error; the server's log has its cause under ${id}`, {
    cause,
  });
}

function deadlineExceeded(timeoutMs: number, options: EdgeCallOptions): AssayError {
  const whose = timeoutMs === options.timeoutMs ? "the caller's timeout" : "call-timeout-ms";
  return new AssayError(Reason.DEADLINE_EXCEEDED, `no answer within ${timeoutMs} ms (${whose})`);
}

function bodyTooSlow(bodyTimeoutMs: number): AssayError {
  return new AssayError(
    Reason.DEADLINE_EXCEEDED,
    `the request's body did not come within ${bodyTimeoutMs} ms (body-timeout-ms)`,
    { limit: "body-timeout-ms" },
  );
}
