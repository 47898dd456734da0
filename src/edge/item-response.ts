import { create } from "@bufbuild/protobuf";
import {
  type PredictStreamResponse,
  PredictStreamResponseSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import type { ItemResult } from "../service/scoring.ts";
import { toItemStatus } from "./error-details.ts";

/** The answer to one item as a message. */
export function itemResponse(result: ItemResult): PredictStreamResponse {
  const { itemId } = result;
  return create(PredictStreamResponseSchema, {
    itemId,
    result:
      "error" in result
        ? { case: "status", value: toItemStatus(result.error) }
        : { case: "response", value: result.response },
  });
}
