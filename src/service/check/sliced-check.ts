import type { FeatureReport, PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Caller } from "../../registry/caller.ts";
import type { ModelTable } from "../../registry/model-table.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import { loopTurns } from "../../timing/loop-turns.ts";
import { completedRequest, needsFeatures } from "../features/completed-request.ts";
import { type CheckedRequest, checkInSteps } from "./predict-check.ts";
import { resolveModel } from "./resolve-model.ts";

/** The longest that a check holds the event loop before it gives it back. */
const SLICE_MS = 8;

/** Whoever waits for a check, and may give it up. */
export interface Waiter {
  readonly cancelled: boolean;
}

/** A request that was checked, and the model that is to score it. */
export interface CheckedFor {
  readonly model: ServedModel;
  readonly checked: CheckedRequest;
  /** Where columns came from, where the request asks. */
  readonly report?: FeatureReport | undefined;
}

/**
 * Resolves, completes and checks a request that is long or has columns to be looked up, in slices, and anew where another version took the model's place meanwhile. Undefined where the waiter
 * gave it up; rejects with what is wrong with the request.
 */
export async function checkInSlices(
  table: ModelTable,
  request: PredictRequest,
  caller: Caller,
  waiter: Waiter,
  deadlineAt: number,
): Promise<CheckedFor | undefined> {
  for (let model = resolveModel(table, request, caller); ; ) {
    const { features } = model;
    const completed =
      features !== undefined && needsFeatures(request, model)
        ? await completedRequest(request, features, model.signature, deadlineAt)
        : { request, report: undefined };
    if (waiter.cancelled) return undefined;
    const checked = await inSlices(checkInSteps(completed.request, model), waiter);
    if (checked === undefined) return undefined;
    const serving = resolveModel(table, request, caller);
    if (serving === model) return { model, checked, report: completed.report };
    model = serving;
  }
}

/** Runs `steps` to their end; undefined where they are given up first. */
async function inSlices<T>(steps: Generator<void, T>, waiter: Waiter): Promise<T | undefined> {
  let startedAt = performance.now();
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step.value;
    if (performance.now() - startedAt < SLICE_MS) continue;
    await loopTurns.next();
    if (waiter.cancelled) return undefined;
    startedAt = performance.now();
  }
}
