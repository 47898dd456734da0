import {
  PredictRequestSchema,
  type PredictRowsRequest,
  PredictRowsRequestSchema,
  StreamOptionsSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import type { ModelTable } from "../registry/model-table.ts";
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
    async predict(request, call) {
      if (!hasManyRows(request)) {
        const model = resolveModel(table, request, call.caller);
        if (model.features === undefined || !needsFeatures(request, model))
          return predictOn(model, request, call);
      }
      const found = await checkInSlices(table, request, call.caller, call, call.deadlineAt);
      // What was given up needs no check: the call is told so.
      const model = found?.model ?? resolveModel(table, request, call.caller);
      const predicted = predictOn(model, request, call, found?.checked);
      return found?.report === undefined ? predicted : { ...(await predicted), featureReport: found.report };
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

function checkRowsRequest(request: PredictRowsRequest): void {
  const violations = createViolations();
  checkSchemaRules(PredictRowsRequestSchema, rowsOutline(request), violations);
  violations.throwIfAny();
}
