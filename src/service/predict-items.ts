import { Reason } from "../../gen/assay/v1/error_pb.ts";
import {
  type PredictRequest,
  type PredictStreamRequest,
  StreamOptions_Lane,
  StreamOptionsSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import type { Lane } from "../batcher/batcher.ts";
import { AssayError } from "../errors.ts";
import { type Call, createCall } from "./call.ts";
import { createItemWindow, type ItemWindow } from "./item-window.ts";
import type { ModelTable } from "./model-table.ts";
import { predictOn } from "./predict-call.ts";
import { checkSchemaRules } from "./schema-rules.ts";
import type { ItemResult } from "./scoring.ts";
import { createViolations } from "./violations.ts";

/** What bounds a stream. */
export interface StreamLimits {
  /** The most rows of one stream that are in the server at a time; one item may exceed it alone. */
  readonly streamWindowRows: number;
  /** The longest that one item may take. */
  readonly callTimeoutMs: number;
}

/** What streams share: the models, the limits, and whether the server is shutting down. */
export interface StreamContext {
  readonly table: ModelTable;
  readonly limits: StreamLimits;
  readonly drainState: { readonly draining: boolean; readonly listeners: Set<() => void> };
}

/** Scores items as they come and yields their answers, in order unless the first item asks otherwise. */
export async function* predictItems(
  items: AsyncIterable<PredictStreamRequest> | Iterable<PredictStreamRequest>,
  call: Call,
  context: StreamContext,
): AsyncGenerator<ItemResult> {
  const { drainState } = context;
  const window = createItemWindow(context.limits.streamWindowRows);
  const stop = () => window.stop(shuttingDown());
  call.onCancel = () => window.abort(new AssayError(Reason.CANCELLED, "the caller cancelled the stream"));
  if (call.cancelled) call.onCancel();
  drainState.listeners.add(stop);
  if (drainState.draining) stop();
  const reading = readItems(items, call, window, context);
  try {
    for (;;) {
      const result = await window.next();
      if (result === undefined) return;
      yield result;
    }
  } finally {
    drainState.listeners.delete(stop);
    window.abort(new AssayError(Reason.CANCELLED, "the stream has ended"));
    // Settles by itself: a reader that waits for the peer is ended by the edge, and never throws.
    void reading;
  }
}

async function readItems(
  items: AsyncIterable<PredictStreamRequest> | Iterable<PredictStreamRequest>,
  call: Call,
  window: ItemWindow,
  context: StreamContext,
): Promise<void> {
  let lane: Lane | undefined;
  try {
    for await (const item of items) {
      if (lane === undefined) {
        lane = item.options?.lane === StreamOptions_Lane.INTERACTIVE ? "interactive" : "bulk";
        window.unordered = item.options?.unordered ?? false;
      }
      if (!(await window.room(approximateRows(item.request)))) return;
      startItem(item, lane, call, window, context);
    }
    window.stop(undefined);
  } catch (error) {
    window.stop(error);
  }
}

function startItem(
  item: PredictStreamRequest,
  lane: Lane,
  call: Call,
  window: ItemWindow,
  context: StreamContext,
): void {
  const { itemId, request } = item;
  const deadlineAt = Math.min(call.deadlineAt, performance.now() + context.limits.callTimeoutMs);
  const itemCall = createCall({ deadlineAt, lane, protocol: call.protocol });
  const slot = window.open(approximateRows(request), () => itemCall.cancel());
  predictItem(item, itemCall, window, context).then(
    (response) => slot.settle({ itemId, response }),
    (error: unknown) => slot.settle({ itemId, error: asAssayError(error) }),
  );
}

async function predictItem(
  item: PredictStreamRequest,
  call: Call,
  window: ItemWindow,
  context: StreamContext,
) {
  const { request } = item;
  const violations = createViolations();
  if (request === undefined) violations.add("request", "no request came in this item", "required");
  if (item.options !== undefined) checkSchemaRules(StreamOptionsSchema, item.options, violations);
  violations.throwIfAny();
  for (;;) {
    try {
      const model = context.table.resolve(request!.modelName, request!.modelVersion);
      return await predictOn(model, request!, call);
    } catch (error) {
      // A stream is slowed, not refused: its window already bounds what it may hold.
      if (!(error instanceof AssayError) || error.reason !== Reason.QUEUE_FULL) throw error;
      const left = call.deadlineAt - performance.now();
      if (left <= 0 || call.cancelled) throw error;
      await window.pause(Math.min(error.retryAfterMs ?? 10, 100, left));
    }
  }
}

function approximateRows(request: PredictRequest | undefined): number {
  if (request === undefined) return 1;
  if (request.rows.length > 0) return request.rows.length;
  const first = request.inputs[0];
  if (first === undefined) return 1;
  return Math.min(Number(first.shape[0] ?? 1n), 1_000_000);
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
