import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { type PredictRequest, PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../errors.ts";
import { shownName } from "../../wording/field-paths.ts";
import type { Decoded, MessageForm } from "../decode/message-decoder.ts";
import { TENSOR_DATA } from "./tensor-data.ts";

/**
 * The body of `POST /predict`: a PredictRequest as JSON, where a tensor's values may stand in Open Inference JSON's `data`.
 */
export const PREDICT_FORM: MessageForm = { desc: PredictRequestSchema, isJson: true, aliases: TENSOR_DATA };

/**
 * The request of a body, for the path's model where it names one; undefined came where the body was empty. Throws INVALID_REQUEST
 * where the body names another model than the path: one of the two was not meant.
 */
export function predictRequest(decoded: Decoded | undefined, modelName: string): PredictRequest {
  if (decoded === undefined) throw refused("", "Field required: the body is empty", "missing");
  const request = decoded.message as PredictRequest;
  if (modelName === "") return request;
  if (request.modelName !== "" && request.modelName !== modelName) {
    const body = shownName(request.modelName);
    const what = `${body} came in the body, and ${shownName(modelName)} in the path: name one model, in one of them`;
    throw refused("model_name", what, "value_error");
  }
  request.modelName = modelName;
  return request;
}

function refused(field: string, description: string, rule: string): AssayError {
  return new AssayError(Reason.INVALID_REQUEST, `${field || "body"}: ${description}`, {
    violations: [{ field, description, rule }],
  });
}
