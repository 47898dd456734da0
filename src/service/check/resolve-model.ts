import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Caller } from "../../registry/caller.ts";
import type { ModelTable } from "../../registry/model-table.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import { checkTensorsAlone } from "../tensors/tensors-alone.ts";
import { checkFeatureValues } from "./feature-rows.ts";
import { checkRequestRules, hasOneForm } from "./predict-check.ts";
import { createViolations } from "./violations.ts";

/** For what is wrong with the model that a request names, beside other violations: the field and the rule. */
const OF_THE_NAME: Readonly<Partial<Record<Reason, readonly [field: string, rule: string]>>> = {
  [Reason.INVALID_REQUEST]: ["model_name", "signature.model_name"],
  [Reason.MODEL_NOT_FOUND]: ["model_name", "signature.unknown_model"],
  [Reason.MODEL_VERSION_NOT_FOUND]: ["model_version", "signature.unknown_version"],
};

/**
 * The model that a request names. Throws what the table throws where that is all that is wrong; else INVALID_REQUEST with all that can
 * be told without the model, the model's name among it.
 */
export function resolveModel(table: ModelTable, request: PredictRequest, caller: Caller): ServedModel {
  try {
    return table.resolve(request.modelName, request.modelVersion, caller);
  } catch (error) {
    const named = error instanceof AssayError ? OF_THE_NAME[error.reason] : undefined;
    if (named === undefined) throw error;
    const violations = createViolations();
    checkRequestRules(request, violations);
    if (hasOneForm(request)) {
      checkFeatureValues(request.features, violations);
      checkTensorsAlone(request.inputs, violations);
    }
    if (violations.count > 0) {
      const { message, violations: own } = error as AssayError;
      violations.add(named[0], own[0]?.description ?? message, named[1]);
      violations.throwIfAny();
    }
    throw error;
  }
}
