import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { Model } from "../../../gen/assay/v1/model_service_pb.ts";
import type { PredictRequest, PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Scorer } from "../../scorer/scorer.ts";

/** Reasons after which the scorer itself goes on. */
const OF_A_REQUEST: ReadonlySet<Reason> = new Set([
  Reason.INVALID_REQUEST,
  Reason.RUN_FAILED,
  Reason.ROWS_REFUSED,
  Reason.REQUEST_TOO_LARGE,
  Reason.OUTPUT_TOO_LARGE,
  Reason.MESSAGE_TOO_LARGE,
  Reason.QUEUE_FULL,
  Reason.MEMORY_FULL,
  Reason.RATE_EXCEEDED,
  Reason.MODEL_NOT_READY,
  Reason.INSTANCE_LOST,
  Reason.RUN_TIMEOUT,
  Reason.DEADLINE_EXCEEDED,
]);

/**
 * A scorer that is opened again where it has ended: a server may have been away for a day, or have another file for the version that
 * was pinned. Whoever scores tries again; the next try opens it. Rejects as a `Scorer` does.
 */
export class LastingScorer {
  private readonly open: () => Promise<Scorer>;
  private current: Scorer;
  private ended = false;
  private opening: Promise<void> | undefined;
  private isClosed = false;

  constructor(first: Scorer, open: () => Promise<Scorer>) {
    this.current = first;
    this.open = open;
  }

  /** The version that scores now. */
  get model(): Model {
    return this.current.model;
  }

  /** How many requests are worth having in flight. */
  get requestsInFlight(): number {
    return this.current.requestsInFlight;
  }

  /** Whether the last request found a scorer that goes on. */
  get isReady(): boolean {
    return !this.ended;
  }

  /** Scores a request, with a scorer opened anew where the last one ended. */
  async score(request: PredictRequest): Promise<PredictResponse> {
    if (this.ended) {
      this.opening ??= this.reopen();
      await this.opening;
    }
    const { current } = this;
    try {
      return await current.score(request);
    } catch (error) {
      const isOwn = error instanceof AssayError && OF_A_REQUEST.has(error.reason);
      if (!isOwn && current === this.current) this.ended = true;
      throw error;
    }
  }

  /** Closes it; what is in flight is rejected. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.opening?.catch(() => {});
    await this.current.close();
  }

  private async reopen(): Promise<void> {
    try {
      await this.current.close();
      const scorer = await this.open();
      this.current = scorer;
      this.ended = false;
      if (this.isClosed) await scorer.close();
    } finally {
      this.opening = undefined;
    }
  }
}
