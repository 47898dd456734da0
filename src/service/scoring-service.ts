import {
  PredictRequestSchema,
  type PredictRowsRequest,
  PredictRowsRequestSchema,
  StreamOptionsSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import { openItemStream, type StreamLimits } from "./item-stream.ts";
import type { ModelTable } from "./model-table.ts";
import { predictOn } from "./predict-call.ts";
import { predictItems } from "./predict-items.ts";
import { resolveModel } from "./resolve-model.ts";
import { rowsOutline } from "./rule-outline.ts";
import { checkSchemaRules, prepareRules } from "./schema-rules.ts";
import type { ScoringService } from "./scoring.ts";
import { createViolations } from "./violations.ts";

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
    async predict(request, call) {
      return predictOn(resolveModel(table, request), request, call);
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
