/**
 * The scoring service: request messages in, response messages out, the same for every protocol.
 * Promises: a message is checked against the schema and against the model's signature, every violation at once with field
 * path and row; nothing reaches the batcher unless it fits; one bad stream item is answered with its error and never
 * ends the stream; a stream holds at most its window of rows. Throws AssayError and nothing else on purpose.
 */
import type {
  PredictRequest,
  PredictResponse,
  PredictRowsRequest,
  PredictStreamRequest,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import type { AssayError } from "../errors.ts";
import type { Call } from "./call.ts";

/** The answer to one stream item: the edge turns an error into a google.rpc.Status. */
export type ItemResult =
  | { readonly itemId: bigint; readonly response: PredictResponse }
  | { readonly itemId: bigint; readonly error: AssayError };

/** Scores messages with the models that are loaded; made by `createScoringService`. */
export interface ScoringService {
  /** Rejects with an AssayError. */
  predict(request: PredictRequest, call: Call): Promise<PredictResponse>;
  /**
   * Each item has the server's call time-out of its own; `call.deadlineAt` bounds the whole stream, so pass Infinity where the
   * caller gave none. Ends when `requests` ends and all is answered, with SHUTTING_DOWN on drain, or when the call is
   * cancelled.
   */
  predictStream(requests: AsyncIterable<PredictStreamRequest>, call: Call): AsyncIterable<ItemResult>;
  predictRows(request: PredictRowsRequest, call: Call): AsyncIterable<ItemResult>;
  /** Streams take no more items, answer those received and end with SHUTTING_DOWN. Unary calls are still answered. */
  drain(): void;
}
