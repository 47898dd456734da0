import { type Lane, NOT_YET, type StageTimes } from "../batcher/batcher.ts";
import type { AssayError } from "../errors.ts";
import { ANONYMOUS, type Caller } from "../registry/caller.ts";
import type { EntryTrace, PassedStages } from "../telemetry/traces/entry-trace.ts";

/** What is recorded of a call whose trace is sampled; the edge makes it. */
export interface CallTrace extends EntryTrace {
  /** 32 and 16 hexadecimal digits, for the log. */
  readonly traceId: string;
  readonly spanId: string;
  /** An item of a stream was taken; undefined: so many of its items are recorded that this one is not. */
  item(itemId: bigint): ItemTrace | undefined;
}

/** What is recorded of one item of a stream. */
export interface ItemTrace extends EntryTrace {
  /** It was answered, with an error or without. */
  end(times: PassedStages, error: AssayError | undefined): void;
}

/**
 * What the stages know of one call besides its message. The edge makes it, and calls `cancel` when the caller goes;
 * the stage that holds the call sets `onCancel`. One slot, composed by hand: an AbortSignal a call costs 6–9 % CPU.
 */
export interface Call extends StageTimes {
  /** When it came, on `performance.now()`'s clock as all times here. For a stream, the other stages are those of its items. */
  readonly receivedAt: number;
  /** On `performance.now()`'s clock, in milliseconds: the earlier of the caller's deadline and the call time-out. */
  readonly deadlineAt: number;
  readonly lane: Lane;
  /** `grpc`, `grpc-web`, `connect`, `http`: for logs and metrics. */
  readonly protocol: string;
  /** The model that it was given to, or its first item; empty until then. For the log, as all up to `failedItems`. */
  modelName: string;
  modelVersion: string;
  /** `request_id` of its message. */
  messageId: string;
  /** Rows that fitted the model; a stream's are those of its items. */
  rows: number;
  /** Items of a stream that were taken, and those that were answered with an error. */
  items: number;
  failedItems: number;
  /** Who calls: the registry answers each caller for itself. */
  readonly caller: Caller;
  /** Undefined unless its trace is recorded. */
  readonly trace: CallTrace | undefined;
  readonly cancelled: boolean;
  onCancel: () => void;
  /** Marks the call as cancelled and tells its holder, once. */
  cancel(): void;
}

/** What a call is made with. */
export interface CallOptions {
  readonly deadlineAt: number;
  readonly lane: Lane;
  readonly protocol: string;
  /** Default now. */
  readonly receivedAt?: number;
  /** Default: nothing is recorded. */
  readonly trace?: CallTrace | undefined;
  /** Default: whoever calls a server that asks nobody. */
  readonly caller?: Caller;
}

/** Makes a call that nobody holds yet. */
export function createCall(options: CallOptions): Call {
  return new OpenCall(options);
}

/**
 * A class, as all that each call makes: V8 gives every object literal with a getter a hidden class of its own, which keeps the
 * getter, and with it the call, its request and its answer, until a full collection.
 */
class OpenCall implements Call {
  readonly deadlineAt: number;
  readonly lane: Lane;
  readonly protocol: string;
  readonly trace: CallTrace | undefined;
  readonly caller: Caller;
  readonly receivedAt: number;
  modelName = "";
  modelVersion = "";
  messageId = "";
  rows = 0;
  items = 0;
  failedItems = 0;
  enqueuedAt = NOT_YET;
  startedAt = NOT_YET;
  endedAt = NOT_YET;
  cancelled = false;
  onCancel = nothing;

  constructor(options: CallOptions) {
    this.deadlineAt = options.deadlineAt;
    this.lane = options.lane;
    this.protocol = options.protocol;
    this.caller = options.caller ?? ANONYMOUS;
    this.receivedAt = options.receivedAt ?? performance.now();
    this.trace = options.trace;
  }

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.onCancel();
  }
}

function nothing(): void {}
