import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { PredictRequest, PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../errors.ts";

/** A request that is not answered yet. */
export interface PendingItem {
  readonly itemId: number;
  readonly request: PredictRequest;
  /** How often it was refused for what may be its own fault. */
  refusals: number;
  /** Its encoded length, once it is sent. */
  sentBytes: number;
  readonly resolve: (response: PredictResponse) => void;
  readonly reject: (error: AssayError) => void;
}

/** The requests of a scorer: some wait to be sent, the others are sent and unanswered. Each is settled exactly once. */
export interface PendingItems {
  readonly count: number;
  readonly waitingCount: number;
  /** A new item at the end of those that wait. Rejects with LIMIT_REACHED where too many wait already. */
  add(request: PredictRequest): Promise<PredictResponse>;
  /** The next one to send; there is one while `waitingCount` is above 0. */
  takeNext(): PendingItem;
  /** Lets items wait again, before all others and in the order of their numbers. */
  putBack(items: Iterable<PendingItem>): void;
  settle(item: PendingItem, result: PredictResponse | AssayError): void;
  /** Rejects all, whether they wait or are sent. */
  rejectAll(error: AssayError): void;
}

/** Makes an empty set, of which at most `mostWaiting` wait. */
export function createPendingItems(mostWaiting: number): PendingItems {
  const all = new Set<PendingItem>();
  let waiting: PendingItem[] = [];
  // Items are taken from the front by an index: shift() would move the rest each time.
  let front = 0;
  let lastId = 0;
  return {
    get count() {
      return all.size;
    },
    get waitingCount() {
      return waiting.length - front;
    },
    add(request) {
      if (waiting.length - front >= mostWaiting) {
        const message = `${mostWaiting} requests wait for the server already; wait for answers before more are made`;
        return Promise.reject(new AssayError(Reason.LIMIT_REACHED, message));
      }
      return new Promise((resolve, reject) => {
        const item = { itemId: ++lastId, request, refusals: 0, sentBytes: 0, resolve, reject };
        all.add(item);
        waiting.push(item);
      });
    },
    takeNext() {
      const item = waiting[front]!;
      front++;
      if (front > 64 && front * 2 > waiting.length) {
        waiting = waiting.slice(front);
        front = 0;
      }
      return item;
    },
    putBack(items) {
      waiting = [...items, ...waiting.slice(front)].sort((a, b) => a.itemId - b.itemId);
      front = 0;
    },
    settle(item, result) {
      if (!all.delete(item)) return;
      if (result instanceof AssayError) item.reject(result);
      else item.resolve(result);
    },
    rejectAll(error) {
      for (const item of all) item.reject(error);
      all.clear();
      waiting = [];
      front = 0;
    },
  };
}
