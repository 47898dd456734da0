import type { FeatureReport, PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { ModelFeatures } from "../../features/model-features.ts";
import type { ModelSignature } from "../../model/signature.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import { checkRequestRules, hasOneForm } from "../check/predict-check.ts";
import { createViolations } from "../check/violations.ts";
import { lacksLookedUp, rowsOfTensors } from "./tensor-rows.ts";

/** A request whose rows have all columns. */
export interface CompletedRequest {
  readonly request: PredictRequest;
  /** Where columns came from; undefined where nobody asks. */
  readonly report: FeatureReport | undefined;
}

/** Whether a request to a model with feature sources has rows that may be completed; the checks say what is wrong with others. */
export function needsFeatures(
  request: PredictRequest,
  { features, batcher, signature }: ServedModel,
): boolean {
  const { rows, inputs } = request;
  if (features === undefined || !hasOneForm(request)) return false;
  // The queue refuses more: nobody needs their columns.
  if (rows.length > 0) return rows.length <= batcher.maxQueueRows;
  return inputs.length > 0 && lacksLookedUp(inputs, features, signature);
}

/**
 * Completes the rows of a request. Rejects with INVALID_REQUEST for keys that are missing or that a source does not have, with every one;
 * with FEATURES_UNAVAILABLE; with DEADLINE_EXCEEDED.
 */
export async function completedRequest(
  request: PredictRequest,
  features: ModelFeatures,
  signature: ModelSignature,
  deadlineAt: number,
): Promise<CompletedRequest> {
  const came = request.rows.length > 0 ? request.rows : rowsOfTensors(request.inputs, features, signature);
  if (came === undefined) return { request, report: undefined };
  const faults = createViolations();
  const explain = request.explainFeatures === true;
  const { rows, report } = await features.complete(came, { deadlineAt, explain, faults });
  if (faults.count > 0) {
    checkRequestRules(request, faults);
    faults.throwIfAny();
  }
  return { request: { ...request, inputs: [], rows }, report };
}
