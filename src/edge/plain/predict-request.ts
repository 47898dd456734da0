import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { type PredictRequest, PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Decoded, MessageForm } from "../decode/message-decoder.ts";
import { TENSOR_DATA } from "./tensor-data.ts";

/**
 * The body of `POST /predict`: a PredictRequest as JSON, where a tensor's values may stand in Open Inference JSON's `data`.
 */
export const PREDICT_FORM: MessageForm = { desc: PredictRequestSchema, isJson: true, aliases: TENSOR_DATA };

/**
 * The request of a body, for the path's model where it names one; undefined came where the body was empty. Throws INVALID_REQUEST
 * where it has no rows in any form.
 */
export function predictRequest(decoded: Decoded | undefined, modelName: string): PredictRequest {
  if (decoded === undefined) throw missing("", "Field required: the body is empty");
  const request = decoded.message as PredictRequest;
  const came = decoded.json as Readonly<Record<string, unknown>>;
  const { features, rows, inputs } = came;
  if (features === undefined && rows === undefined && inputs === undefined) {
    throw missing("features", "Field required (or rows, or inputs)");
  }
  if (modelName !== "") request.modelName = modelName;
  return request;
}

function missing(field: string, description: string): AssayError {
  return new AssayError(Reason.INVALID_REQUEST, `${field || "body"}: ${description}`, {
    violations: [{ field, description, rule: "missing" }],
  });
}
