import { Reason } from "../../gen/assay/v1/error_pb.ts";
import type { PredictRequest, PredictResponse } from "../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../gen/assay/v1/tensor_pb.ts";
import type { Entry, Lane, RowWriter, StageTimes, TakenEntry } from "../batcher/batcher.ts";
import { AssayError } from "../errors.ts";
import type { ServedModel } from "../registry/served-model.ts";
import { RawTextTensor } from "../tensor/raw-text-tensor.ts";
import { elementCount, type TensorData } from "../tensor/tensor-data.ts";
import { createResponse, fetchedOutputs } from "./answer/response.ts";
import { toldRunError } from "./answer/run-refusal.ts";
import type { Call } from "./call.ts";
import { byteCount, type CheckedInput, shapeKey } from "./check/checked-rows.ts";
import { copyValues } from "./check/input-values.ts";
import { type CheckedRequest, checkPredictRequest } from "./check/predict-check.ts";
import { TensorRequest } from "./tensor-request.ts";

/** Stage times, and when the call or the item came. */
interface CallTimes extends StageTimes {
  readonly receivedAt: number;
}

/** Options of how a prediction waits. */
export interface PredictionOptions {
  readonly lane: Lane;
  readonly deadlineAt: number;
  /** Waits outside a full queue instead of being refused. */
  readonly waitsForRoom: boolean;
  /** Whose times the batcher sets: the call's, or the stream item's. */
  readonly times: CallTimes;
}

/** Exactly one is called, once; neither after the prediction was taken back. */
export interface PredictionEvents {
  onResponse(response: PredictResponse): void;
  onError(error: unknown): void;
}

/** A prediction that may still be taken back. */
export interface StartedPrediction {
  readonly rowCount: number;
  cancel(): void;
}

/**
 * Checks one request, unless it is given `checked`, and enqueues its rows; throws INVALID_REQUEST. `onError` may be called before it returns. `request` is read
 * until the answer.
 */
export function startPrediction(
  model: ServedModel,
  request: PredictRequest,
  options: PredictionOptions,
  events: PredictionEvents,
  checked: CheckedRequest = checkPredictRequest(request, model),
): StartedPrediction {
  const prediction = new Prediction(model, request, checked, options, events);
  prediction.enqueue();
  return prediction;
}

/** What a request takes of the queue besides its rows, of which it may have none. */
const ENTRY_BYTES = 256;

/** The batcher's entry of one request; the rows are copied when the batcher asks for them. */
class Prediction implements Entry, StartedPrediction {
  readonly rowCount: number;
  readonly byteCount: number;
  readonly inputs: readonly CheckedInput[];
  readonly shapeKey: string;
  readonly lane: Lane;
  readonly deadlineAt: number;
  readonly waitsForRoom: boolean;
  readonly outputNames: readonly string[];
  readonly times: CallTimes;
  private readonly model: ServedModel;
  private readonly request: PredictRequest;
  private readonly returnedOutputs: readonly string[];
  private readonly events: PredictionEvents;
  private taken: TakenEntry | undefined;

  constructor(
    model: ServedModel,
    request: PredictRequest,
    { rows, outputNames }: CheckedRequest,
    options: PredictionOptions,
    events: PredictionEvents,
  ) {
    const { signature } = model;
    this.rowCount = rows.rowCount;
    this.byteCount = ENTRY_BYTES + byteCount(rows);
    this.inputs = rows.inputs;
    this.shapeKey = shapeKey(rows.inputs, signature);
    this.lane = options.lane;
    this.deadlineAt = options.deadlineAt;
    this.waitsForRoom = options.waitsForRoom;
    if (request instanceof TensorRequest) {
      request.scoredBy = model;
      this.outputNames = outputNames;
    } else this.outputNames = fetchedOutputs(outputNames, signature);
    this.times = options.times;
    this.model = model;
    this.request = request;
    this.returnedOutputs = outputNames;
    this.events = events;
    this.taken = undefined;
  }

  enqueue(): void {
    this.taken = this.model.batcher.enqueue(this);
  }

  cancel(): void {
    const { taken, model } = this;
    if (taken === undefined || !model.batcher.cancel(taken)) return;
    const now = performance.now();
    // A call's own clock may ring before the queue's.
    if (now < this.deadlineAt) model.counters.cancelled();
    else model.counters.failed(this.times, now, Reason.DEADLINE_EXCEEDED);
  }

  write(writer: RowWriter, fromRow: number, rowCount: number): void {
    const { inputs } = this;
    for (let i = 0; i < inputs.length; i++) {
      const { values, tailShape } = inputs[i]!;
      const perRow = elementCount(tailShape);
      copyValues(values, writer, i, fromRow * perRow, rowCount * perRow);
    }
  }

  onOutputs(outputs: readonly TensorData[]): void {
    let response: PredictResponse;
    try {
      const { modelName, modelVersion, signature } = this.model;
      const { requestId, inputs } = this.request;
      const isTensors = this.request instanceof TensorRequest;
      response = createResponse(outputs, signature, {
        modelName,
        modelVersion,
        requestId,
        rowCount: this.rowCount,
        outputNames: this.returnedOutputs,
        tensorsOnly: isTensors,
        raw: isTensors || inputs.some(isRaw),
      });
    } catch (error) {
      const reason = error instanceof AssayError ? error.reason : Reason.INTERNAL;
      this.model.counters.failed(this.times, performance.now(), reason);
      this.events.onError(error);
      return;
    }
    this.model.counters.succeeded(this.rowCount, this.times, performance.now());
    this.events.onResponse(response);
  }

  onError(error: AssayError): void {
    const { modelName, modelVersion, signature } = this.model;
    const { rowCount, inputs } = this;
    this.model.counters.failed(this.times, performance.now(), error.reason);
    this.events.onError(toldRunError(error, { modelName, modelVersion, signature, rowCount, inputs }));
  }
}

function isRaw(input: Tensor): boolean {
  return input instanceof RawTextTensor || input.rawContents.length > 0;
}

/** Scores one request of a call, which may have been checked for this model. Sets `call.onCancel`; rejects with an AssayError. */
export function predictOn(
  model: ServedModel,
  request: PredictRequest,
  call: Call,
  checked?: CheckedRequest,
): Promise<PredictResponse> {
  return new Promise((resolve, reject) => {
    if (call.cancelled) throw cancelled();
    call.modelName = model.modelName;
    call.modelVersion = model.modelVersion;
    call.messageId = request.requestId;
    const options = unaryOptions(request, call);
    const events = { onResponse: resolve, onError: reject };
    const prediction = startPrediction(model, request, options, events, checked);
    call.rows += prediction.rowCount;
    call.caller.rate?.countRows(prediction.rowCount);
    const onCancel = (): void => {
      prediction.cancel();
      reject(cancelled());
    };
    call.onCancel = onCancel;
  });
}

function unaryOptions(request: PredictRequest, call: Call): PredictionOptions {
  const { lane, deadlineAt, receivedAt } = call;
  if (!(request instanceof TensorRequest)) return { lane, deadlineAt, waitsForRoom: false, times: call };
  return {
    lane: request.lane ?? lane,
    deadlineAt: Math.min(deadlineAt, receivedAt + request.timeoutMs),
    waitsForRoom: false,
    times: call,
  };
}

function cancelled(): AssayError {
  return new AssayError(Reason.CANCELLED, "the caller cancelled the call");
}
