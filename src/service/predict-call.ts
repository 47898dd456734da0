import { Reason } from "../../gen/assay/v1/error_pb.ts";
import type { PredictRequest, PredictResponse } from "../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../errors.ts";
import type { Call } from "./call.ts";
import { createEntry } from "./checked-rows.ts";
import { checkPredictRequest } from "./predict-check.ts";
import { createResponse, fetchedOutputs } from "./response.ts";
import type { ServedModel } from "./served-model.ts";

/** Checks one request, enqueues its rows and makes the response. Sets `call.onCancel`; rejects with an AssayError. */
export function predictOn(model: ServedModel, request: PredictRequest, call: Call): Promise<PredictResponse> {
  return new Promise((resolve, reject) => {
    const { rows, outputNames } = checkPredictRequest(request, model);
    if (call.cancelled) throw cancelled();
    const { signature } = model;
    const entry = createEntry(rows, {
      lane: call.lane,
      deadlineAt: call.deadlineAt,
      outputNames: fetchedOutputs(outputNames, signature),
      onOutputs(outputs) {
        try {
          const { modelName, modelVersion } = model;
          const raw = request.inputs.some((input) => input.rawContents.length > 0);
          const { requestId } = request;
          const shape = { modelName, modelVersion, requestId, rowCount: rows.rowCount, outputNames, raw };
          resolve(createResponse(outputs, signature, shape));
        } catch (error) {
          reject(error);
        }
      },
      onError: reject,
    });
    call.onCancel = () => {
      model.batcher.cancel(entry);
      reject(cancelled());
    };
    model.batcher.enqueue(entry);
  });
}

function cancelled(): AssayError {
  return new AssayError(Reason.CANCELLED, "the caller cancelled the call");
}
