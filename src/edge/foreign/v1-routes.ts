/** KServe's v1 protocol and TensorFlow Serving's REST API: `/v1/models`. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { ModelState, type ModelSummary } from "../../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { ModelsService } from "../../registry/models.ts";
import type { PlainRequest, PlainResponse, PlainRoute } from "../plain/plain-http.ts";
import { foreignError, v1ErrorBody } from "./foreign-error.ts";
import type { ForeignForm } from "./foreign-unary.ts";
import { readV1 } from "./v1-body.ts";

/** Bodies with `instances` are answered with `predictions`, bodies with `inputs` with `outputs`. */
export const V1_FORM: ForeignForm = {
  name: "v1",
  body: { json: readV1 },
  takes: () => true,
  memberOf: ({ isColumnar }) => (isColumnar ? "outputs" : "predictions"),
  errorBody: v1ErrorBody,
};

/** Where it is scored. */
export const V1_PATTERNS = [
  "/v1/models/{model}:predict",
  "/v1/models/{model}/versions/{version}:predict",
  "/v1/models/{model}/labels/{version}:predict",
];

const OTHER_VERBS = ["classify", "explain", "regress"];

/** What is served, and what is not. */
export function v1Routes(models: ModelsService): PlainRoute[] {
  const status = (request: PlainRequest): PlainResponse => statusOf(models, request);
  return [
    ...OTHER_VERBS.flatMap((verb) => [
      unserved(verb, "{model}"),
      unserved(verb, "{model}/versions/{version}"),
      unserved(verb, "{model}/labels/{version}"),
    ]),
    // KServe's client asks it whether the server lives.
    route("/", () => ({ status: 200, body: { status: "alive" } })),
    route("/v1/models", ({ call }) => {
      const names = new Set(models.list(call.caller).map(({ modelName }) => modelName));
      return { status: 200, body: { models: [...names] } };
    }),
    route("/v1/models/{model}/versions/{version}", status),
    route("/v1/models/{model}/labels/{version}", status),
    route("/v1/models/{model}", status),
  ];
}

function route(pattern: string, handle: PlainRoute["handle"], methods = ["GET", "HEAD"]): PlainRoute {
  const errorResponse: PlainRoute["errorResponse"] = (error) => foreignError(error, v1ErrorBody, noExample);
  return { pattern, methods, handle, errorResponse };
}

function noExample(): undefined {
  return undefined;
}

function unserved(verb: string, place: string): PlainRoute {
  const refuse = (): never => {
    throw new AssayError(Reason.UNIMPLEMENTED, `models take :predict here, and no :${verb}`);
  };
  return route(`/v1/models/${place}:${verb}`, refuse, ["POST"]);
}

/** KServe reads `ready`, TensorFlow Serving's clients `model_version_status`; a model that does not serve is 503, as KServe answers. */
function statusOf(models: ModelsService, { params, call }: PlainRequest): PlainResponse {
  const { model: name = "", version = "" } = params;
  const { model, versions } = models.get(name, version, call.caller);
  const shown =
    version === "" ? versions : versions.filter(({ modelVersion }) => modelVersion === model?.modelVersion);
  const ready = model?.state === ModelState.READY;
  const body = { name, ready, model_version_status: shown.map(versionStatus) };
  if (ready) return { status: 200, body };
  const why = model?.stateReason || "it is being loaded";
  return { status: 503, body: { ...body, error: `model ${JSON.stringify(name)} is not ready: ${why}` } };
}

const TF_STATES: Readonly<Partial<Record<ModelState, string>>> = {
  [ModelState.LOADING]: "LOADING",
  [ModelState.READY]: "AVAILABLE",
  [ModelState.FAILED]: "END",
  [ModelState.UNAVAILABLE]: "UNLOADING",
  [ModelState.UNLOADED]: "END",
};

function versionStatus({ modelVersion, state, stateReason }: ModelSummary): unknown {
  const isWrong = state === ModelState.FAILED || state === ModelState.UNAVAILABLE;
  const error_code = isWrong ? "FAILED_PRECONDITION" : "OK";
  return {
    version: modelVersion,
    state: TF_STATES[state] ?? "UNKNOWN",
    status: { error_code, error_message: stateReason },
  };
}
