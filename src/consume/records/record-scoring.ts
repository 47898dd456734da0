/**
 * Records to what becomes of each: a score, or why there is none.
 * Promises: every record has an outcome, in its place; one that cannot be scored never costs another its score; what fails for
 * the server's reasons is tried again without an end, with longer and longer delays, until it succeeds or is no longer wanted.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError, messageOf } from "../../errors.ts";
import { retryDelayMs } from "../../scorer/remote/retry-policy.ts";
import type { InputRecord } from "./input-record.ts";
import type { LastingScorer } from "./lasting-scorer.ts";
import { type Asked, readRecordValue, type ScoringModel, type ValueFormat } from "./record-value.ts";
import {
  halves,
  judge,
  partRequest,
  planRequests,
  type Refusal,
  type RequestForm,
  type RequestPart,
  requestForm,
  without,
} from "./request-plan.ts";

/** What became of a record. */
export type Outcome =
  | { readonly kind: "scored"; readonly response: RecordScores; readonly frame: Buffer | undefined }
  | { readonly kind: "deleted" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** The scores of one record's rows. */
export type RecordScores = Pick<
  PredictResponse,
  "modelName" | "modelVersion" | "requestId" | "scores" | "labels" | "outputs"
>;

/** What scoring needs to know. */
export interface RecordScoringOptions {
  readonly scorer: Pick<LastingScorer, "model" | "score">;
  readonly format: ValueFormat;
  readonly askedVersion: string | undefined;
  /** Called before each wait for the server. */
  readonly onRetry: (error: AssayError, delayMs: number) => void;
}

/** A record with neither key nor value deletes no row. */
const NOTHING: Outcome = {
  kind: "refused",
  refusal: { reason: "INVALID_REQUEST", field: "", message: "neither a value nor a key came" },
};
const MOST_ROWS = 2048;

/** Scores lists of records with one model. */
export class RecordScoring {
  private readonly options: RecordScoringOptions;
  /** Fewer, once a server took no request of as many. */
  private mostRows = MOST_ROWS;

  constructor(options: RecordScoringOptions) {
    this.options = options;
  }

  /** Scores records; `signal` aborted: rejects with its reason as soon as the server is waited for. */
  async score(records: readonly InputRecord[], signal: AbortSignal): Promise<Outcome[]> {
    const { scorer, format, askedVersion } = this.options;
    const { modelName, modelVersion } = scorer.model;
    const model: ScoringModel = { modelName, modelVersion, askedVersion };
    const asked: Asked[] = new Array(records.length);
    const outcomes: Outcome[] = new Array(records.length);
    const frames: (Buffer | undefined)[] = new Array(records.length);
    for (let i = 0; i < records.length; i++) {
      const read = readRecordValue(records[i]!.value, format, model);
      asked[i] = read.asked;
      frames[i] = read.frame;
      if (read.asked.kind === "deleted")
        outcomes[i] = records[i]!.key === null ? NOTHING : { kind: "deleted" };
      else if (read.asked.kind === "fault")
        outcomes[i] = { kind: "refused", refusal: { reason: "INVALID_REQUEST", ...read.asked.fault } };
    }
    const form = requestForm(scorer.model);
    const run: Run = { asked, outcomes, frames, form, signal };
    const parts = planRequests(asked, form, this.mostRows);
    await Promise.all(parts.map((part) => this.scorePart(part, run)));
    return outcomes;
  }

  private async scorePart(part: RequestPart, run: Run): Promise<void> {
    let left: RequestPart | undefined = part;
    let losses = 0;
    for (let attempt = 1; left !== undefined; ) {
      let response: PredictResponse;
      try {
        response = await this.options.scorer.score(partRequest(left, run.asked, run.form));
      } catch (thrown) {
        const error = asAssayError(thrown);
        if (error.reason === Reason.INSTANCE_LOST || error.reason === Reason.RUN_TIMEOUT) losses++;
        const verdict = judge(error, left, losses);
        if (verdict.kind === "retry") {
          const delayMs = retryDelayMs(attempt++, error, Math.random());
          this.options.onRetry(error, delayMs);
          await delay(delayMs, undefined, { signal: run.signal });
          continue;
        }
        if (verdict.kind === "halve") {
          if (error.reason === Reason.REQUEST_TOO_LARGE)
            this.mostRows = Math.max(1, Math.min(this.mostRows, left.places.length >> 1));
          for (const half of halves(left)) await this.scorePart(half, run);
          return;
        }
        for (const [position, refusal] of verdict.refusals)
          run.outcomes[left.places[position]!] = { kind: "refused", refusal };
        left = without(left, verdict.refusals);
        continue;
      }
      fill(response, left, run);
      return;
    }
  }
}

interface Run {
  readonly asked: readonly Asked[];
  readonly outcomes: Outcome[];
  readonly frames: readonly (Buffer | undefined)[];
  readonly form: RequestForm;
  readonly signal: AbortSignal;
}

function asAssayError(thrown: unknown): AssayError {
  if (thrown instanceof AssayError) return thrown;
  return new AssayError(Reason.INTERNAL, messageOf(thrown), { cause: thrown });
}

/** Gives each record of a part its rows of the response. */
function fill(response: PredictResponse, { places, counts }: RequestPart, run: Run): void {
  if (places.length === 1) {
    const place = places[0]!;
    run.outcomes[place] = { kind: "scored", response, frame: run.frames[place] };
    return;
  }
  const { modelName, modelVersion, scores, labels } = response;
  let row = 0;
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    const end = row + counts[i]!;
    const one = run.asked[place]!;
    const requestId = one.kind === "rows" || one.kind === "features" ? one.requestId : "";
    const own: RecordScores = {
      modelName,
      modelVersion,
      requestId,
      scores: scores.slice(row, end),
      labels: labels.slice(row, end),
      outputs: [],
    };
    run.outcomes[place] = { kind: "scored", response: own, frame: run.frames[place] };
    row = end;
  }
}
