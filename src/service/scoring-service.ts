import {
  type PredictRequest,
  PredictRequestSchema,
  type PredictResponse,
  type PredictRowsRequest,
  PredictRowsRequestSchema,
  StreamOptionsSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import type { ModelTable } from "../registry/model-table.ts";
import type { ServedModel } from "../registry/served-model.ts";
import { loopTurns } from "../timing/loop-turns.ts";
import type { Call } from "./call.ts";
import { checkInSteps, hasManyRows } from "./check/predict-check.ts";
import { resolveModel } from "./check/resolve-model.ts";
import { rowsOutline } from "./check/rule-outline.ts";
import { checkSchemaRules, prepareRules } from "./check/schema-rules.ts";
import { createViolations } from "./check/violations.ts";
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
      const model = resolveModel(table, request, call.caller);
      return hasManyRows(request)
        ? predictMany(table, model, request, call)
        : predictOn(model, request, call);
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

/** The longest that a check holds the event loop before it gives it back. */
const SLICE_MS = 8;

/** Checks in slices, and anew where another version took the model's place meanwhile. */
async function predictMany(
  table: ModelTable,
  first: ServedModel,
  request: PredictRequest,
  call: Call,
): Promise<PredictResponse> {
  for (let model = first; ; ) {
    const checked = await inSlices(checkInSteps(request, model), call);
    const serving = resolveModel(table, request, call.caller);
    // What was given up needs no check: the call is told so.
    if (serving === model || call.cancelled) return predictOn(serving, request, call, checked);
    model = serving;
  }
}

/** Runs `steps` to their end; undefined where the call is cancelled first. */
async function inSlices<T>(steps: Generator<void, T>, call: Call): Promise<T | undefined> {
  let startedAt = performance.now();
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step.value;
    if (performance.now() - startedAt < SLICE_MS) continue;
    await loopTurns.next();
    if (call.cancelled) return undefined;
    startedAt = performance.now();
  }
}

function checkRowsRequest(request: PredictRowsRequest): void {
  const violations = createViolations();
  checkSchemaRules(PredictRowsRequestSchema, rowsOutline(request), violations);
  violations.throwIfAny();
}
