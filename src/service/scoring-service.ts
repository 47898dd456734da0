import {
  type PredictRequest,
  PredictRequestSchema,
  type PredictResponse,
  type PredictRowsRequest,
  PredictRowsRequestSchema,
  StreamOptionsSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import type { ModelTable } from "../registry/model-table.ts";
import type { Call } from "./call.ts";
import { hasManyRows } from "./check/predict-check.ts";
import { resolveModel } from "./check/resolve-model.ts";
import { rowsOutline } from "./check/rule-outline.ts";
import { checkSchemaRules, prepareRules } from "./check/schema-rules.ts";
import { checkInSlices } from "./check/sliced-check.ts";
import { createViolations } from "./check/violations.ts";
import { needsFeatures } from "./features/completed-request.ts";
import { predictOn } from "./predict-call.ts";
import type { ScoringService } from "./scoring.ts";
import { openItemStream, type StreamLimits } from "./stream/item-stream.ts";
import { predictItems } from "./stream/predict-items.ts";

/** Makes the scoring service over a table of models, which the caller fills and closes. */
export function createScoringService(table: ModelTable, limits: StreamLimits): ScoringService {
  for (const schema of [PredictRequestSchema, PredictRowsRequestSchema, StreamOptionsSchema])
    prepareRules(schema);
  const drainListeners = new Set<() => void>();
  let draining = false;
  const drainState = {
    get draining() {
      return draining;
    },
    listeners: drainListeners,
  };
  const context = { table, limits, drainState };
  return {
    resolve: (modelName, modelVersion, caller) => table.resolve(modelName, modelVersion, caller),
    predict(request, call) {
      try {
        const model = hasManyRows(request) ? undefined : resolveModel(table, request, call.caller);
        // Not in an async function: a promise of a promise takes three turns of the microtasks for each call.
        if (model !== undefined && (model.features === undefined || !needsFeatures(request, model)))
          return predictOn(model, request, call);
      } catch (error) {
        return Promise.reject(error);
      }
      return predictInSlices(table, request, call);
    },
    predictStream(requests, call) {
      return predictItems(requests, openItemStream(call, context));
    },
    openStream: (call) => openItemStream(call, context),
    predictRows(request, call) {
      checkRowsRequest(request);
      return predictItems(request.items, openItemStream(call, context));
    },
    drain() {
      draining = true;
      for (const listener of drainListeners) listener();
    },
  };
}

/** Scores a request that is long to check, or has columns to be looked up. */
async function predictInSlices(
  table: ModelTable,
  request: PredictRequest,
  call: Call,
): Promise<PredictResponse> {
  const found = await checkInSlices(table, request, call.caller, call, call.deadlineAt);
  // What was given up needs no check: the call is told so.
  const model = found?.model ?? resolveModel(table, request, call.caller);
  const predicted = predictOn(model, request, call, found?.checked);
  return found?.report === undefined ? predicted : { ...(await predicted), featureReport: found.report };
}

function checkRowsRequest(request: PredictRowsRequest): void {
  const violations = createViolations();
  checkSchemaRules(PredictRowsRequestSchema, rowsOutline(request), violations);
  violations.throwIfAny();
}
