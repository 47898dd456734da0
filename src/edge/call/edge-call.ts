/**
 * The duties of a call, in one place for all protocols: its id, its deadline, its end by the caller, its errors, its log line.
 * Comes in: a stream and what is known of its procedure. Goes out: the service's `Call`, and what the protocol may send.
 * Promises: the deadline is the earlier of the caller's and the server's; whoever waits on `guard` is answered at the
 * deadline or when the caller goes, whatever the stages below do; `end` is called once and logs once.
 */
import { randomBytes } from "node:crypto";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, reasonName } from "../../errors.ts";
import type { CancelReason, ServerStream } from "../../http2/stream.ts";
import { type Call, createCall } from "../../service/call.ts";
import type { Log } from "../../telemetry/log.ts";
import type { CallCounters, CountedCall } from "../metrics/call-counters.ts";
import type { CallDeadlines, TimedCall } from "./call-deadlines.ts";

/** One call at the edge; whoever began it ends it. */
export interface EdgeCall {
  /** The caller's `x-request-id`, or one made here; sent back and logged. */
  readonly id: string;
  readonly call: Call;
  readonly procedure: string;
  /** Whether errors carry google.rpc details. */
  readonly sendsDetails: boolean;
  /** Why the call must end before its answer; undefined while it may go on. */
  readonly failure: AssayError | undefined;
  /** Called once with `failure`, for whoever reads the request's body. */
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
  readonly deadlines: CallDeadlines;
  readonly counters: CallCounters;
  readonly log: Log;
}

const LOGGED_ITEMS = 10;
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
const ID_PREFIX = randomBytes(6).toString("hex");
let idCount = 0;

/** Begins a call: from now on its deadline runs. */
export function beginCall(stream: ServerStream, options: EdgeCallOptions): EdgeCall {
  return new OpenEdgeCall(stream, options);
}

class OpenEdgeCall implements EdgeCall, TimedCall {
  readonly id: string;
  readonly call: Call;
  readonly procedure: string;
  readonly sendsDetails: boolean;
  failure: AssayError | undefined = undefined;
  onFailure: (failure: AssayError) => void = nothing;
  /** The earlier of the call's deadline and its body's, while that has not come. */
  deadlineAt: number;
  wheelTick = 0;
  wheelBefore: TimedCall | undefined = undefined;
  wheelAfter: TimedCall | undefined = undefined;
  private readonly options: EdgeCallOptions;
  private readonly startedAt = performance.now();
  private readonly timeoutMs: number;
  private readonly counted: CountedCall;
  private isTimed: boolean;
  private hasBody = false;
  private outcome: AssayError | undefined = undefined;
  private ended = false;
  private failedItems = 0;
  private rejectGuarded: ((failure: AssayError) => void) | undefined = undefined;

  constructor(stream: ServerStream, options: EdgeCallOptions) {
    const { protocol, lane, bodyTimeoutMs, deadlines } = options;
    const timeoutMs = Math.min(options.timeoutMs ?? Number.POSITIVE_INFINITY, options.callTimeoutMs);
    const givenId = stream.headers.get("x-request-id");
    const isGiven = givenId !== undefined && REQUEST_ID.test(givenId);
    this.id = isGiven ? givenId : `${ID_PREFIX}-${(++idCount).toString(36)}`;
    const deadlineAt = this.startedAt + timeoutMs;
    this.call = createCall({ receivedAt: this.startedAt, deadlineAt, lane, protocol });
    this.procedure = options.procedure;
    this.sendsDetails = options.sendsDetails;
    this.options = options;
    this.counted = options.counters.begun(options.procedure, protocol);
    this.timeoutMs = timeoutMs;
    this.deadlineAt =
      bodyTimeoutMs === undefined ? deadlineAt : Math.min(deadlineAt, this.startedAt + bodyTimeoutMs);
    this.isTimed = this.deadlineAt < Number.POSITIVE_INFINITY;
    if (this.isTimed) deadlines.add(this);
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
      if (this.isTimed) this.options.deadlines.add(this);
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
    this.onFailure(why);
    this.call.cancel();
  }

  asAssayError(thrown: unknown): AssayError {
    this.outcome = thrown instanceof AssayError ? thrown : internalError(this.id, thrown);
    return this.outcome;
  }

  itemFailed(itemId: bigint, error: AssayError): void {
    if (!isServersFault(error)) return;
    this.failedItems++;
    if (this.failedItems > LOGGED_ITEMS) return;
    const { id, procedure, call } = this;
    const fields = { requestId: id, procedure, protocol: call.protocol, itemId: String(itemId) };
    this.options.log.error({ ...fields, ...errorFields(error) }, "item failed");
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.isTimed) this.options.deadlines.remove(this);
    if (this.failedItems > LOGGED_ITEMS) {
      const fields = { requestId: this.id, procedure: this.procedure, failedItems: this.failedItems };
      this.options.log.error(fields, `more items failed than the ${LOGGED_ITEMS} that were logged`);
    }
    const durationMs = performance.now() - this.startedAt;
    const error = this.outcome ?? this.failure;
    this.counted.ended(error?.reason ?? "ok", durationMs);
    logCall(this.options.log, this, durationMs, error);
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
  );
}

function logCall(log: Log, edgeCall: EdgeCall, durationMs: number, error?: AssayError): void {
  const { id, procedure, call } = edgeCall;
  const level = error !== undefined && isServersFault(error) ? "error" : "debug";
  if (!log.isLevelEnabled(level)) return;
  const fields = {
    requestId: id,
    procedure,
    protocol: call.protocol,
    durationMs: Math.round(durationMs * 1000) / 1000,
  };
  if (error === undefined) {
    log[level](fields, "call answered");
  } else {
    log[level]({ ...fields, ...errorFields(error) }, "call failed");
  }
}

function isServersFault({ reason, cause }: AssayError): boolean {
  return cause !== undefined || reason === Reason.INTERNAL || reason === Reason.RUN_FAILED;
}

function errorFields({ reason, message, cause }: AssayError): Record<string, string | undefined> {
  return { reason: reasonName(reason), error: message, cause: causeText(cause) };
}

function causeText(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
