import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";

/** Updates of one model that may wait for another of it. */
const MOST_OF_A_MODEL = 8;
/** Of all models together. */
const MOST = 256;

/** Does what concerns one model in the order in which it came, one after another; different models wait for nothing here. */
export class UpdateQueue {
  private readonly last = new Map<string, Promise<void>>();
  private readonly waiting = new Map<string, number>();
  private total = 0;
  private isClosed = false;

  /** Whether something of a model is being done or waits. */
  isBusy(modelName: string): boolean {
    return this.last.has(modelName);
  }

  /** Rejects with QUEUE_FULL where too much waits, with SHUTTING_DOWN once closed, else as `work` does. */
  async run<T>(modelName: string, work: () => Promise<T>): Promise<T> {
    this.throwIfClosed();
    const before = this.last.get(modelName);
    const count = this.waiting.get(modelName) ?? 0;
    if (before !== undefined && (count >= MOST_OF_A_MODEL || this.total >= MOST)) {
      const what =
        count >= MOST_OF_A_MODEL
          ? `${count} updates of model ${JSON.stringify(modelName)} wait`
          : `${this.total} updates of models wait`;
      throw new AssayError(Reason.QUEUE_FULL, `${what} already: try again when some are done`, {
        retryAfterMs: 1000,
        limit: "waiting-updates",
      });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.last.set(modelName, promise);
    if (before !== undefined) {
      this.count(modelName, 1);
      await before;
      this.count(modelName, -1);
    }
    try {
      this.throwIfClosed();
      return await work();
    } finally {
      if (this.last.get(modelName) === promise) this.last.delete(modelName);
      resolve();
    }
  }

  /** What waits is given up; what is being done goes on. */
  close(): void {
    this.isClosed = true;
  }

  private count(modelName: string, by: number): void {
    const now = (this.waiting.get(modelName) ?? 0) + by;
    this.total += by;
    if (now === 0) this.waiting.delete(modelName);
    else this.waiting.set(modelName, now);
  }

  private throwIfClosed(): void {
    if (this.isClosed)
      throw new AssayError(
        Reason.SHUTTING_DOWN,
        "the server is shutting down: models are neither loaded nor unloaded",
      );
  }
}
