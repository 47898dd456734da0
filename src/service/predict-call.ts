import { Reason } from "../../gen/assay/v1/error_pb.ts";
import type { PredictRequest, PredictResponse } from "../../gen/assay/v1/scoring_service_pb.ts";
import type { Lane } from "../batcher/batcher.ts";
import { AssayError } from "../errors.ts";
import type { Call } from "./call.ts";
import { createEntry } from "./checked-rows.ts";
import { checkPredictRequest } from "./predict-check.ts";
import { createResponse, fetchedOutputs } from "./response.ts";
import type { ServedModel } from "./served-model.ts";

/** How a prediction waits. */
export interface PredictionOptions {
  readonly lane: Lane;
  readonly deadlineAt: number;
  /** Waits outside a full queue instead of being refused. */
  readonly waitsForRoom: boolean;
}

/** Exactly one is called, once; neither after the prediction was taken back. */
export interface PredictionEvents {
  onResponse(response: PredictResponse): void;
  onError(error: unknown): void;
}

/**
 * Checks one request and enqueues its rows. Returns what takes them back; throws INVALID_REQUEST. `onError` may be called before
 * it returns. `request` is read until the answer.
 */
export function startPrediction(
  model: ServedModel,
  request: PredictRequest,
  options: PredictionOptions,
  events: PredictionEvents,
): () => void {
  const { rows, outputNames } = checkPredictRequest(request, model);
  const { signature, batcher } = model;
  const entry = createEntry(rows, {
    ...options,
    outputNames: fetchedOutputs(outputNames, signature),
    onOutputs(outputs) {
      let response: PredictResponse;
      try {
        const { modelName, modelVersion } = model;
        const raw = request.inputs.some((input) => input.rawContents.length > 0);
        const { requestId } = request;
        const shape = { modelName, modelVersion, requestId, rowCount: rows.rowCount, outputNames, raw };
        response = createResponse(outputs, signature, shape);
      } catch (error) {
        events.onError(error);
        return;
      }
      events.onResponse(response);
    },
    onError: events.onError,
  });
  batcher.enqueue(entry);
  return () => batcher.cancel(entry);
}

/** Scores one request of a call. Sets `call.onCancel`; rejects with an AssayError. */
export function predictOn(model: ServedModel, request: PredictRequest, call: Call): Promise<PredictResponse> {
  return new Promise((resolve, reject) => {
    if (call.cancelled) throw cancelled();
    const { lane, deadlineAt } = call;
    const options = { lane, deadlineAt, waitsForRoom: false };
    const takeBack = startPrediction(model, request, options, { onResponse: resolve, onError: reject });
    call.onCancel = () => {
      takeBack();
      reject(cancelled());
    };
  });
}

function cancelled(): AssayError {
  return new AssayError(Reason.CANCELLED, "the caller cancelled the call");
}
