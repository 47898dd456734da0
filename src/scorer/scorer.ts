/**
 * Scorers: where `assay score` has its rows scored, the pool in this process or a server.
 * Comes in: requests, each some rows. Goes out: their responses.
 * Promises: many requests may be in flight, and answers may come in any order; one model version scores them all;
 * a request is answered or refused, never lost: what a lost connection, a full queue or a restarted worker left
 * unanswered is sent again until `retryTimeoutMs` has passed without any answer.
 */
import type { Model } from "../../gen/assay/v1/model_service_pb.ts";
import type { PredictRequest, PredictResponse } from "../../gen/assay/v1/scoring_service_pb.ts";

/** Scores rows with one model version; whoever opened it closes it. */
export interface Scorer {
  /** The version that scores, as GetModel describes it. */
  readonly model: Model;
  /** How many requests are worth having in flight. */
  readonly requestsInFlight: number;
  /**
   * Rejects with an AssayError: INVALID_REQUEST with its violations, RUN_FAILED, ROWS_REFUSED and what is too large (the request, its outputs, the message) concern
   * these rows; with every other reason nothing more can be scored.
   */
  score(request: PredictRequest): Promise<PredictResponse>;
  close(): Promise<void>;
}
