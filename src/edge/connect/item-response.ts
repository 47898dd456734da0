import { create } from "@bufbuild/protobuf";
import {
  type PredictStreamResponse,
  PredictStreamResponseSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { ItemResult } from "../../service/scoring.ts";
import { publicMessage, toItemError, toItemStatus } from "../call/error-details.ts";
import { errorRow } from "../call/error-table.ts";

/** The answer to one item as a message; `json`: what it will be written as. */
export function itemResponse(result: ItemResult, json = false): PredictStreamResponse {
  const { itemId } = result;
  if (json && "error" in result) {
    const { error } = result;
    const value = { code: errorRow(error.reason).code, message: publicMessage(error) };
    return create(PredictStreamResponseSchema, {
      itemId,
      result: { case: "status", value },
      error: toItemError(error),
    });
  }
  return create(PredictStreamResponseSchema, {
    itemId,
    result:
      "error" in result
        ? { case: "status", value: toItemStatus(result.error) }
        : { case: "response", value: result.response },
  });
}
