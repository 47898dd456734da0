import { Reason } from "../../gen/assay/v1/error_pb.ts";
import {
  type PredictRequest,
  type PredictStreamRequest,
  StreamOptions_Lane,
  StreamOptionsSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import type { Lane } from "../batcher/batcher.ts";
import { AssayError } from "../errors.ts";
import type { Call } from "./call.ts";
import { createItemWindow, type WindowItem, type WindowLimits } from "./item-window.ts";
import type { ModelTable } from "./model-table.ts";
import { startPrediction } from "./predict-call.ts";
import { checkSchemaRules } from "./schema-rules.ts";
import type { ItemResult, ItemStream } from "./scoring.ts";
import { createViolations } from "./violations.ts";

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
  const { drainState, limits, table } = context;
  const window = createItemWindow(limits);
  let lane: Lane | undefined;
  /** Why it takes no more items; undefined while it does. */
  let ending: { readonly error: unknown } | undefined;
  let aborted = false;

  function end(error: unknown): void {
    if (ending !== undefined) return;
    ending = { error };
    drainState.listeners.delete(stop);
    stream.onChange();
  }

  function abort(error: unknown): void {
    if (aborted) return;
    aborted = true;
    window.cancelAll();
    ending = undefined;
    end(error);
  }

  function stop(): void {
    end(shuttingDown());
  }

  function settle(slot: WindowItem, result: ItemResult): void {
    window.settle(slot, result);
    stream.onChange();
  }

  function start(item: PredictStreamRequest, itemLane: Lane, slot: WindowItem): void {
    const { itemId } = item;
    const onError = (error: unknown) => settle(slot, { itemId, error: asAssayError(error) });
    try {
      const request = checkedRequest(item);
      const model = table.resolve(request.modelName, request.modelVersion);
      const deadlineAt = Math.min(call.deadlineAt, performance.now() + limits.callTimeoutMs);
      slot.cancel = startPrediction(
        model,
        request,
        { lane: itemLane, deadlineAt, waitsForRoom: true },
        { onResponse: (response) => settle(slot, { itemId, response }), onError },
      );
    } catch (error) {
      onError(error);
    }
  }

  const stream: ItemStream = {
    offer(item, size) {
      if (ending !== undefined) return false;
      if (lane === undefined) {
        lane = item.options?.lane === StreamOptions_Lane.INTERACTIVE ? "interactive" : "bulk";
        window.unordered = item.options?.unordered ?? false;
      }
      const rows = approximateRows(item.request);
      if (!window.fits(rows, size)) return false;
      start(item, lane, window.add(rows, size));
      return true;
    },
    end,
    take: () => window.take(),
    get isIdle() {
      return window.isEmpty;
    },
    get isEnding() {
      return ending !== undefined;
    },
    get outcome() {
      return ending !== undefined && window.isEmpty ? ending : undefined;
    },
    onChange: () => {},
    close() {
      abort(new AssayError(Reason.CANCELLED, "the stream has ended"));
    },
  };
  call.onCancel = () => abort(new AssayError(Reason.CANCELLED, "the caller cancelled the stream"));
  if (call.cancelled) call.onCancel();
  else if (drainState.draining) stop();
  else drainState.listeners.add(stop);
  return stream;
}

/** The item's request, once its options keep the schema's rules; throws INVALID_REQUEST. */
function checkedRequest(item: PredictStreamRequest): PredictRequest {
  const { request, options } = item;
  if (request !== undefined && options === undefined) return request;
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
