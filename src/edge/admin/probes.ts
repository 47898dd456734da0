import { ModelState, type ModelSummary } from "../../../gen/assay/v1/model_service_pb.ts";
import type { AssayError } from "../../errors.ts";
import { ANONYMOUS, type Caller, visibleTo } from "../../registry/caller.ts";
import type { Readiness } from "../../registry/models.ts";
import { errorRow } from "../call/error-table.ts";
import type { PlainResponse, PlainRoute } from "../plain/plain-http.ts";

/**
 * `GET /livez`: the process answers. `GET /readyz`: it takes requests; the body lists what does not serve and why, of what
 * its caller may know.
 * `GET /health`: `{"status":"ok"}`, for those who come from a FastAPI service.
 */
export function probeRoutes(readiness: () => Readiness): PlainRoute[] {
  return [
    probe("/livez", () => ({ status: 200, body: { status: "live" } })),
    probe("/readyz", ({ call }) => readyzResponse(readinessFor(readiness(), call.caller))),
    probe("/health", () => ({ status: 200, body: { status: "ok" } })),
  ];
}

/** What a caller may know of it; whether the server is ready is for all. */
function readinessFor(readiness: Readiness, caller: Caller): Readiness {
  return caller === ANONYMOUS ? readiness : { ...readiness, models: visibleTo(readiness.models, caller) };
}

/** The answer of `/readyz`, as a pure function. */
export function readyzResponse(readiness: Readiness): PlainResponse {
  const { ready, settled, draining, models } = readiness;
  const status = ready ? "ready" : draining ? "draining" : settled ? "not ready" : "loading";
  const serving = models.filter(({ state }) => state === ModelState.READY);
  return {
    status: ready ? 200 : 503,
    body: {
      status,
      serving: serving.length,
      not_serving: models.filter((model) => !serving.includes(model)).map(inShort),
      changed_files: models.filter(({ changedFiles }) => changedFiles.length > 0).map(changed),
      failed_updates: models.filter(({ updateFailure }) => updateFailure !== "").map(failed),
    },
  };
}

function inShort(model: ModelSummary) {
  const name = Object.entries(ModelState).find(([, value]) => value === model.state)?.[0];
  return {
    model_name: model.modelName,
    model_version: model.modelVersion,
    state: name ?? "",
    reason: model.stateReason,
  };
}

/** What was loaded is served on, whatever lies on disk by now. */
function changed({ modelName, modelVersion, changedFiles }: ModelSummary) {
  return { model_name: modelName, model_version: modelVersion, files: changedFiles };
}

/** What was loaded is served on in this case too. */
function failed({ modelName, modelVersion, updateFailure }: ModelSummary) {
  return { model_name: modelName, model_version: modelVersion, reason: updateFailure };
}

function probe(pattern: string, handle: PlainRoute["handle"]): PlainRoute {
  return {
    pattern,
    isOpen: true,
    methods: ["GET", "HEAD"],
    handle,
    errorResponse: (error: AssayError) => ({
      status: errorRow(error.reason).httpStatus,
      body: { message: error.message },
    }),
  };
}
