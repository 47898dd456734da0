/**
 * The scoring service: request messages in, response messages out, the same for every protocol.
 * Promises: a message is checked against the schema and against the model's signature, every violation at once with field
 * path and row; nothing reaches the batcher unless it fits; one bad stream item is answered with its error and never
 * ends the stream; a stream holds at most its window of rows and bytes. Throws AssayError and nothing else on purpose.
 */
import type {
  PredictRequest,
  PredictResponse,
  PredictRowsRequest,
  PredictStreamRequest,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import type { AssayError } from "../errors.ts";
import type { Caller } from "../registry/caller.ts";
import type { ServedModel } from "../registry/served-model.ts";
import type { Call } from "./call.ts";

/** The answer to one stream item: the edge turns an error into a google.rpc.Status. */
export type ItemResult =
  | { readonly itemId: bigint; readonly response: PredictResponse }
  | { readonly itemId: bigint; readonly error: AssayError };

/** The size of an item. */
export interface ItemSize {
  /** Of the server's memory: it counts for the window. */
  readonly memoryBytes: number;
  /** Called once when the item's answer is taken, and never for an item that is taken back: nobody reads the item any more. */
  readonly onLeave?: () => void;
}

/**
 * A stream of items that are scored side by side, for whoever frames them. Nothing here waits: `onChange` says that there may
 * be answers to take, room for the item that did not fit, or the end. Whoever opened it closes it.
 */
export interface ItemStream {
  /** Takes an item, or says false where the window is full: offer it again after `onChange`. It reads `item` until its answer. */
  offer(item: PredictStreamRequest, size: ItemSize): boolean;
  /** No more items come; with an error, the stream ends with it once all that was taken is answered. */
  end(error?: unknown): void;
  /** The next answer, in order unless the first item asked otherwise; undefined while none is due. */
  take(): ItemResult | undefined;
  /** No item is in the stream. */
  readonly isIdle: boolean;
  /** It takes no more items: none is ever taken after `offer` said false. */
  readonly isEnding: boolean;
  /** How it ended, once everything is answered and taken; undefined before. */
  readonly outcome: { readonly error: unknown } | undefined;
  /** Never called inside `take`; set by the opener. */
  onChange: () => void;
  /** Takes back what has not been answered. */
  close(): void;
}

/** Scores messages with the models that are loaded; made by `createScoringService`. */
export interface ScoringService {
  /** The model that a request with this name and version is scored by, for whoever reads requests by its signature. Throws what `ModelTable.resolve` throws. */
  resolve(modelName: string, modelVersion: string, caller: Caller): ServedModel;
  /** Rejects with an AssayError. */
  predict(request: PredictRequest, call: Call): Promise<PredictResponse>;
  /**
   * Each item has the server's call time-out of its own; `call.deadlineAt` bounds the whole stream, so pass Infinity where the
   * caller gave none. Ends when `end` was called and all is answered, with SHUTTING_DOWN on drain, or when the call is
   * cancelled.
   */
  openStream(call: Call): ItemStream;
  /** The same as `openStream`, over iterables. */
  predictStream(requests: AsyncIterable<PredictStreamRequest>, call: Call): AsyncIterable<ItemResult>;
  predictRows(request: PredictRowsRequest, call: Call): AsyncIterable<ItemResult>;
  /** Streams take no more items, answer those received and end with SHUTTING_DOWN. Unary calls are still answered. */
  drain(): void;
}
