import type { PredictStreamRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { AssayError } from "../../errors.ts";

/**
 * Items that whoever decoded them refused, with the reason: an item without a request stands for each, so that it is answered in its
 * place and its stream goes on.
 */
export const refusedItems = new WeakMap<PredictStreamRequest, AssayError>();
