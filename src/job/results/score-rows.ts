import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Scorer } from "../../scorer/scorer.ts";
import type { ResultRows } from "../../table/result-rows.ts";
import type { EncodedRows } from "../encode/row-encoder.ts";
import { refusedRows } from "./refused-rows.ts";
import { checkCounts, outputNumbers } from "./response-values.ts";
import type { ResultPlan } from "./result-plan.ts";
import { takeRows } from "./taken-rows.ts";

/** Reasons that concern the rows of a request, one of them or all together. */
const OF_THE_ROWS: ReadonlySet<Reason> = new Set([
  Reason.RUN_FAILED,
  Reason.ROWS_REFUSED,
  Reason.REQUEST_TOO_LARGE,
  Reason.OUTPUT_TOO_LARGE,
  Reason.MESSAGE_TOO_LARGE,
]);

/** Results that are being filled in. */
interface Results extends ResultRows {
  labels: (string | undefined)[];
  readonly errors: Map<number, string>;
}

/**
 * Scores one chunk's rows. Rows that the model refuses or fails on get their error and the others their score: what a
 * refusal names is taken out and the rest sent again; a request that fails as a whole is halved until the rows that fail
 * stand alone. Rejects with every AssayError that does not concern the rows.
 */
export async function scoreRows(
  encoded: EncodedRows,
  scorer: Pick<Scorer, "score">,
  plan: ResultPlan,
): Promise<ResultRows> {
  const { rowCount } = encoded;
  const results: Results = {
    rowCount,
    scores: new Float64Array(rowCount).fill(Number.NaN),
    labels: plan.columns.hasLabel ? new Array(rowCount).fill(undefined) : [],
    probabilities: new Float64Array(rowCount * plan.columns.probabilities.length).fill(Number.NaN),
    errors: new Map(encoded.errors),
  };
  if (encoded.request !== undefined) {
    const rows = encoded.rows ?? sequence(rowCount);
    await scoreSome(encoded.request, rows, { encoded, scorer, plan, results });
  } else encoded.release();
  return results;
}

interface Context {
  readonly encoded: EncodedRows;
  readonly scorer: Pick<Scorer, "score">;
  readonly plan: ResultPlan;
  readonly results: Results;
}

/** Scores a request whose rows are `rows` of the chunk. Each step down has fewer rows, so that it ends. */
async function scoreSome(request: PredictRequest, rows: Int32Array, context: Context): Promise<void> {
  const { scorer, encoded, results } = context;
  let answer: Awaited<ReturnType<Scorer["score"]>>;
  try {
    answer = await scorer.score(request);
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    if (error.reason === Reason.INVALID_REQUEST) {
      const refused = refusedRows(error, request, encoded.tensors);
      // What names no row concerns the request: sent again it would be refused again.
      if (refused.size === 0) throw error;
      for (const [row, what] of refused) results.errors.set(rows[row]!, what);
      const left = sequence(rows.length).filter((row) => !refused.has(row));
      if (left.length > 0) await scoreSome(takeRows(request, left), rowsAt(rows, left), context);
      return;
    }
    if (!OF_THE_ROWS.has(error.reason)) throw error;
    if (rows.length === 1) {
      results.errors.set(rows[0]!, error.message);
      return;
    }
    const half = rows.length >> 1;
    const positions = sequence(rows.length);
    for (const part of [positions.subarray(0, half), positions.subarray(half)])
      await scoreSome(takeRows(request, part), rowsAt(rows, part), context);
    return;
  }
  fill(answer, rows, context);
  // Answered: nobody reads it any more. After an error it is left to the collector, since someone still might.
  if (request === encoded.request) encoded.release();
}

/** 0, 1, 2, … */
function sequence(length: number): Int32Array {
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = i;
  return numbers;
}

function rowsAt(rows: Int32Array, positions: Int32Array): Int32Array {
  return positions.map((position) => rows[position]!);
}

function fill(
  response: Awaited<ReturnType<Scorer["score"]>>,
  rows: Int32Array,
  { plan, results }: Context,
): void {
  const { scores, labels } = response;
  checkCounts(response, rows.length, plan.columns);
  const { hasScore, hasLabel } = plan.columns;
  if (rows.length === results.rowCount) {
    // All rows of the chunk, in their order.
    if (hasScore) results.scores.set(scores);
    if (hasLabel) results.labels = labels;
  } else {
    if (hasScore) for (let i = 0; i < rows.length; i++) results.scores[rows[i]!] = scores[i]!;
    if (hasLabel) for (let i = 0; i < rows.length; i++) results.labels[rows[i]!] = labels[i];
  }
  const width = plan.columns.probabilities.length;
  if (width === 0) return;
  const numbers = outputNumbers(response, plan.outputNames[0]!, rows.length, width);
  for (let i = 0; i < rows.length; i++) {
    for (let at = 0; at < width; at++)
      results.probabilities[rows[i]! * width + at] = numbers[i * width + at]!;
  }
}
