import type { FeatureReport, PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { ModelFeatures } from "../../features/model-features.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import { checkRequestRules, hasOneForm } from "../check/predict-check.ts";
import { createViolations } from "../check/violations.ts";

/** A request whose rows have all columns. */
export interface CompletedRequest {
  readonly request: PredictRequest;
  /** Where columns came from; undefined where nobody asks. */
  readonly report: FeatureReport | undefined;
}

/** Whether a request to a model with feature sources has rows that may be completed; the checks say what is wrong with others. */
export function needsFeatures(request: PredictRequest, { features, batcher }: ServedModel): boolean {
  const { rows } = request;
  // The queue refuses more: nobody needs their columns.
  return (
    features !== undefined && rows.length > 0 && rows.length <= batcher.maxQueueRows && hasOneForm(request)
  );
}

/**
 * Completes the rows of a request. Rejects with INVALID_REQUEST for keys that are missing or that a source does not have, with every one;
 * with FEATURES_UNAVAILABLE; with DEADLINE_EXCEEDED.
 */
export async function completedRequest(
  request: PredictRequest,
  features: ModelFeatures,
  deadlineAt: number,
): Promise<CompletedRequest> {
  const faults = createViolations();
  const explain = request.explainFeatures === true;
  const { rows, report } = await features.complete(request.rows, { deadlineAt, explain, faults });
  if (faults.count > 0) {
    checkRequestRules(request, faults);
    faults.throwIfAny();
  }
  return { request: { ...request, rows }, report };
}
