import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import {
  type FeatureReport,
  type PredictRequest,
  type PredictResponse,
  type PredictStreamRequest,
  StreamOptions_Lane,
  StreamOptionsSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { type Lane, NOT_YET, type StageTimes } from "../../batcher/batcher.ts";
import { AssayError } from "../../errors.ts";
import type { ModelTable } from "../../registry/model-table.ts";
import { LARGE_OCTETS } from "../../timing/loop-turns.ts";
import type { Call, ItemTrace } from "../call.ts";
import { hasManyRows } from "../check/predict-check.ts";
import { resolveModel } from "../check/resolve-model.ts";
import { checkSchemaRules } from "../check/schema-rules.ts";
import { checkInSlices } from "../check/sliced-check.ts";
import { createViolations } from "../check/violations.ts";
import { needsFeatures } from "../features/completed-request.ts";
import {
  type PredictionEvents,
  type PredictionOptions,
  type StartedPrediction,
  startPrediction,
} from "../predict-call.ts";
import type { ItemResult, ItemSize, ItemStream } from "../scoring.ts";
import { TensorRequest } from "../tensor-request.ts";
import { ItemWindow, type WindowItem, type WindowLimits } from "./item-window.ts";
import { refusedItems } from "./refused-items.ts";

/** What bounds a stream: its window, in rows and bytes, and the longest that one item may take. */
export interface StreamLimits extends WindowLimits {
  readonly callTimeoutMs: number;
}

/** What streams share: the models, the limits, and whether the server is shutting down. */
export interface StreamContext {
  readonly table: ModelTable;
  readonly limits: StreamLimits;
  readonly drainState: { readonly draining: boolean; readonly listeners: Set<() => void> };
}

/** Opens a stream whose items are scored as they are offered; `scoring.ts` says what it promises. */
export function openItemStream(call: Call, context: StreamContext): ItemStream {
  return new ScoredStream(call, context);
}

class ScoredStream implements ItemStream {
  onChange = nothing;
  private readonly call: Call;
  private readonly context: StreamContext;
  private readonly window: ItemWindow;
  private readonly stop = (): void => this.end(shuttingDown());
  private lane: Lane | undefined = undefined;
  /** Why it takes no more items; undefined while it does. */
  private ending: { readonly error: unknown } | undefined = undefined;
  private aborted = false;
  /** Runs while the caller has sent as much as it may for now. */
  private pace: NodeJS.Timeout | undefined = undefined;

  constructor(call: Call, context: StreamContext) {
    this.call = call;
    this.context = context;
    this.window = new ItemWindow(context.limits);
    const onCancel = (): void =>
      this.abort(new AssayError(Reason.CANCELLED, "the caller cancelled the stream"));
    call.onCancel = onCancel;
    const { drainState } = context;
    if (call.cancelled) onCancel();
    else if (drainState.draining) this.stop();
    else drainState.listeners.add(this.stop);
  }

  offer(item: PredictStreamRequest, size: ItemSize): boolean {
    if (this.ending !== undefined) return false;
    if (this.lane === undefined) {
      this.lane = item.options?.lane === StreamOptions_Lane.INTERACTIVE ? "interactive" : "bulk";
      this.window.unordered = item.options?.unordered ?? false;
    }
    const rows = approximateRows(item.request);
    if (!this.window.fits(rows, size) || this.isTooFast()) return false;
    this.call.items++;
    const streamItem = new StreamItem(this, item.itemId, rows, size, this.call.trace?.item(item.itemId));
    this.window.add(streamItem);
    this.start(item, this.lane, streamItem);
    return true;
  }

  end(error?: unknown): void {
    if (this.ending !== undefined) return;
    this.ending = { error };
    clearTimeout(this.pace);
    this.context.drainState.listeners.delete(this.stop);
    this.onChange();
  }

  take(): ItemResult | undefined {
    return this.window.take();
  }

  get isIdle(): boolean {
    return this.window.isEmpty;
  }

  get isEnding(): boolean {
    return this.ending !== undefined;
  }

  get outcome(): { readonly error: unknown } | undefined {
    return this.ending !== undefined && this.window.isEmpty ? this.ending : undefined;
  }

  close(): void {
    this.abort(new AssayError(Reason.CANCELLED, "the stream has ended"));
  }

  settle(item: StreamItem, result: ItemResult): void {
    if ("error" in result) this.call.failedItems++;
    this.window.settle(item, result);
    this.onChange();
  }

  private scored(rowCount: number): void {
    this.call.rows += rowCount;
    this.call.caller.rate?.countRows(rowCount);
  }

  /** Whether the caller's next item has to wait: it is offered again when it may come, and its stream is not read until then. */
  private isTooFast(): boolean {
    const { rate } = this.call.caller;
    if (rate === undefined || this.pace !== undefined) return rate !== undefined;
    const waitMs = rate.takeRequest();
    if (waitMs === 0) return false;
    this.pace = setTimeout(() => {
      this.pace = undefined;
      this.onChange();
    }, waitMs);
    return true;
  }

  private start(item: PredictStreamRequest, lane: Lane, streamItem: StreamItem): void {
    const { table, limits } = this.context;
    const { call } = this;
    try {
      const request = checkedRequest(item);
      const model = resolveModel(table, request, call.caller);
      if (call.modelName === "") {
        call.modelName = model.modelName;
        call.modelVersion = model.modelVersion;
      }
      const isTensors = request instanceof TensorRequest;
      const timeoutMs = isTensors ? Math.min(limits.callTimeoutMs, request.timeoutMs) : limits.callTimeoutMs;
      const options = {
        lane: isTensors ? (request.lane ?? lane) : lane,
        deadlineAt: Math.min(call.deadlineAt, streamItem.receivedAt + timeoutMs),
        waitsForRoom: true,
        times: streamItem,
      };
      const isLong = streamItem.size.memoryBytes > LARGE_OCTETS && hasManyRows(request);
      if (isLong || (model.features !== undefined && needsFeatures(request, model))) {
        this.startLong(request, options, streamItem);
        return;
      }
      const prediction = startPrediction(model, request, options, streamItem);
      streamItem.prediction = prediction;
      this.scored(prediction.rowCount);
    } catch (error) {
      streamItem.onError(error);
    }
  }

  private startLong(request: PredictRequest, options: PredictionOptions, streamItem: StreamItem): void {
    const check = new LongCheck();
    streamItem.prediction = check;
    checkInSlices(this.context.table, request, this.call.caller, check, options.deadlineAt)
      .then((found) => {
        if (found === undefined || check.cancelled) return;
        streamItem.report = found.report;
        const prediction = startPrediction(found.model, request, options, streamItem, found.checked);
        streamItem.prediction = prediction;
        this.scored(prediction.rowCount);
      })
      .catch((error: unknown) => streamItem.onError(error));
  }

  private abort(error: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.window.cancelAll();
    this.ending = undefined;
    this.end(error);
  }
}

/** One item on its way: the window's, and whom its prediction answers. */
class StreamItem implements WindowItem, PredictionEvents, StageTimes {
  /** When it was offered and taken, on `performance.now()`'s clock. */
  readonly receivedAt = performance.now();
  enqueuedAt = NOT_YET;
  startedAt = NOT_YET;
  endedAt = NOT_YET;
  rollIndex = -1;
  result: ItemResult | undefined = undefined;
  prediction: Cancellable | undefined = undefined;
  /** Where columns came from, where the item asks. */
  report: FeatureReport | undefined = undefined;
  readonly rows: number;
  readonly size: ItemSize;
  readonly trace: ItemTrace | undefined;
  private readonly stream: ScoredStream;
  private readonly itemId: bigint;

  constructor(
    stream: ScoredStream,
    itemId: bigint,
    rows: number,
    size: ItemSize,
    trace: ItemTrace | undefined,
  ) {
    this.stream = stream;
    this.itemId = itemId;
    this.rows = rows;
    this.size = size;
    this.trace = trace;
  }

  onResponse(response: PredictResponse): void {
    this.trace?.end(this, undefined);
    if (this.report !== undefined) response.featureReport = this.report;
    this.stream.settle(this, { itemId: this.itemId, response });
  }

  onError(thrown: unknown): void {
    const error = asAssayError(thrown);
    this.trace?.end(this, error);
    this.stream.settle(this, { itemId: this.itemId, error });
  }

  cancel(): void {
    this.prediction?.cancel();
  }
}

/** What an item that is taken back has to end. */
type Cancellable = Pick<StartedPrediction, "cancel">;

/** The check of an item that is long: until its end it stands where its prediction will. */
class LongCheck implements Cancellable {
  cancelled = false;

  cancel(): void {
    this.cancelled = true;
  }
}

const nothing = (): void => {};

/** The item's request, once its options keep the schema's rules; throws INVALID_REQUEST. */
function checkedRequest(item: PredictStreamRequest): PredictRequest {
  const { request, options } = item;
  if (request !== undefined && options === undefined) return request;
  const refusal = request === undefined ? refusedItems.get(item) : undefined;
  if (refusal !== undefined) throw refusal;
  const violations = createViolations();
  if (request === undefined) violations.add("request", "no request came in this item", "required");
  if (options !== undefined) checkSchemaRules(StreamOptionsSchema, options, violations);
  violations.throwIfAny();
  return request!;
}

/** The rows that an item says it has, before it is checked. */
function approximateRows(request: PredictRequest | undefined): number {
  if (request === undefined) return 1;
  if (request.rows.length > 0) return request.rows.length;
  const first = request.inputs[0];
  if (first === undefined) return 1;
  // A count that is no count is refused by the checks; here it must not count backwards.
  return Math.min(Math.max(Number(first.shape[0] ?? 1n), 1), 1_000_000);
}

function shuttingDown(): AssayError {
  return new AssayError(
    Reason.SHUTTING_DOWN,
    "the server is shutting down; items without an answer were not scored, send them again",
    { retryAfterMs: 1000 },
  );
}

function asAssayError(error: unknown): AssayError {
  return error instanceof AssayError
    ? error
    : new AssayError(Reason.INTERNAL, "internal error", { cause: error });
}
