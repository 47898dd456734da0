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

/**
 * The requests of a scorer: some wait to be sent, at most `mostWaiting`, the others are sent and unanswered. Each is settled
 * exactly once.
 */
export class PendingItems {
  private readonly mostWaiting: number;
  private readonly all = new Set<PendingItem>();
  private waiting: PendingItem[] = [];
  // Items are taken from the front by an index: shift() would move the rest each time.
  private front = 0;
  private lastId = 0;

  constructor(mostWaiting: number) {
    this.mostWaiting = mostWaiting;
  }

  get count(): number {
    return this.all.size;
  }

  get waitingCount(): number {
    return this.waiting.length - this.front;
  }

  /** A new item at the end of those that wait. Rejects with LIMIT_REACHED where too many wait already. */
  add(request: PredictRequest): Promise<PredictResponse> {
    if (this.waitingCount >= this.mostWaiting) {
      const message = `${this.mostWaiting} requests wait for the server already; wait for answers before more are made`;
      return Promise.reject(new AssayError(Reason.LIMIT_REACHED, message));
    }
    return new Promise((resolve, reject) => {
      const item = { itemId: ++this.lastId, request, refusals: 0, sentBytes: 0, resolve, reject };
      this.all.add(item);
      this.waiting.push(item);
    });
  }

  /** The next one to send; there is one while `waitingCount` is above 0. */
  takeNext(): PendingItem {
    const item = this.waiting[this.front++]!;
    if (this.front > 64 && this.front * 2 > this.waiting.length) this.wait(this.waiting.slice(this.front));
    return item;
  }

  /** Lets items wait again, before all others and in the order of their numbers. */
  putBack(items: Iterable<PendingItem>): void {
    this.wait([...items, ...this.waiting.slice(this.front)].sort((a, b) => a.itemId - b.itemId));
  }

  settle(item: PendingItem, result: PredictResponse | AssayError): void {
    if (!this.all.delete(item)) return;
    if (result instanceof AssayError) item.reject(result);
    else item.resolve(result);
  }

  /** Rejects all, whether they wait or are sent. */
  rejectAll(error: AssayError): void {
    for (const item of this.all) item.reject(error);
    this.all.clear();
    this.wait([]);
  }

  private wait(items: PendingItem[]): void {
    this.waiting = items;
    this.front = 0;
  }
}
