/** KServe's v1 protocol and TensorFlow Serving's REST API: `/v1/models`. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { ModelState, type ModelSummary, type TensorSpec } from "../../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { ModelsService } from "../../registry/models.ts";
import { loadedModel } from "../inference/metadata.ts";
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
    route("/v1/models", ({ call }) => {
      const names = new Set(models.list(call.caller).map(({ modelName }) => modelName));
      return { status: 200, body: { models: [...names] } };
    }),
    ...["", "/versions/{version}", "/labels/{version}"].map((place) =>
      route(`/v1/models/{model}${place}/metadata`, (request) => metadataOf(models, request)),
    ),
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

/** What TensorFlow's clients ask before they send: the inputs and outputs of the one signature that takes both. */
function metadataOf(models: ModelsService, { params, call }: PlainRequest): PlainResponse {
  const { model: name = "", version = "" } = params;
  const { modelName, modelVersion, inputs, outputs } = loadedModel(models.get(name, version, call.caller));
  const signature = {
    inputs: Object.fromEntries(inputs.map(tensorInfo)),
    outputs: Object.fromEntries(outputs.map(tensorInfo)),
    method_name: "tensorflow/serving/predict",
    defaults: {},
  };
  const body = {
    model_spec: { name: modelName, signature_name: "", version: modelVersion },
    metadata: { signature_def: { signature_def: { serving_default: signature } } },
  };
  return { status: 200, body };
}

function tensorInfo({ name, datatype, shape }: TensorSpec): [string, unknown] {
  const dim = shape.map((length) => ({ size: String(length), name: "" }));
  return [name, { dtype: TF_TYPES[datatype], tensor_shape: { dim, unknown_rank: false }, name }];
}

const TF_TYPES: Readonly<Record<string, string>> = {
  BOOL: "DT_BOOL",
  UINT8: "DT_UINT8",
  UINT16: "DT_UINT16",
  UINT32: "DT_UINT32",
  UINT64: "DT_UINT64",
  INT8: "DT_INT8",
  INT16: "DT_INT16",
  INT32: "DT_INT32",
  INT64: "DT_INT64",
  FP16: "DT_HALF",
  BF16: "DT_BFLOAT16",
  FP32: "DT_FLOAT",
  FP64: "DT_DOUBLE",
  BYTES: "DT_STRING",
};

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
