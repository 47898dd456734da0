/** The table of what is asked of a server beside scores: a row a resource. */
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import type { ErrorCauses, ErrorForm } from "./error-responses.ts";
import { COUNT, closed, FLAG, list, object, type Schema, TEXT, WHOLE } from "./schema-parts.ts";

/** One resource: where it is, what comes in and what goes out. */
export interface Resource {
  readonly path: string;
  readonly id: string;
  readonly tag: "Health" | "Models" | "Server";
  readonly summary: string;
  readonly method?: "post";
  /** Of the body of a POST. */
  readonly body?: Schema;
  readonly errors: readonly [ErrorForm, ErrorCauses];
  /** Of an answer that is JSON. */
  readonly answer?: Schema;
  /** Of another one. */
  readonly content?: Schema;
  /** It may be 503, with the same body. */
  readonly mayBeUnready?: boolean;
}

const STATES = {
  type: "string",
  enum: Object.keys(ModelState).filter((name) => Number.isNaN(Number(name))),
};
const VERSION_STATE = { model_name: TEXT, model_version: TEXT, state: STATES, reason: TEXT };
const READY = object({ name: TEXT, ready: FLAG }, ["name", "ready"]);
const TENSORS = list(
  object({ name: TEXT, datatype: TEXT, shape: list(WHOLE) }, ["name", "datatype", "shape"]),
);
const PLAIN_TEXT = { "text/plain": { schema: TEXT } };
const HTML = { "text/html": { schema: TEXT } };
const ANY_OBJECT: Schema = { type: "object" };

const TF_STATUS = object(
  {
    name: TEXT,
    ready: FLAG,
    model_version_status: list(
      object({
        version: TEXT,
        state: TEXT,
        status: object({ error_code: TEXT, error_message: TEXT }),
      }),
    ),
    error: TEXT,
  },
  ["name", "ready"],
);

/** Whether the server lives and is ready, in the words of each protocol. */
export const HEALTH: readonly Resource[] = [
  {
    path: "/livez",
    id: "livez",
    tag: "Health",
    summary: "Whether the process answers",
    errors: ["probe", "server"],
    answer: closed({ status: { const: "live" } }, ["status"]),
  },
  {
    path: "/readyz",
    id: "readyz",
    tag: "Health",
    summary: "Whether the server takes requests; what does not serve, and why",
    errors: ["probe", "server"],
    mayBeUnready: true,
    answer: object(
      {
        status: { type: "string", enum: ["ready", "not ready", "loading", "draining"] },
        serving: COUNT,
        not_serving: list(object(VERSION_STATE)),
        changed_files: list(object({ model_name: TEXT, model_version: TEXT, files: list(TEXT) })),
        failed_updates: list(object({ model_name: TEXT, model_version: TEXT, reason: TEXT })),
      },
      ["status", "serving", "not_serving"],
    ),
  },
  {
    path: "/health",
    id: "health",
    tag: "Health",
    summary: "Whether the process answers, in FastAPI's form",
    errors: ["probe", "server"],
    answer: closed({ status: { const: "ok" } }, ["status"]),
  },
  {
    path: "/v2/health/live",
    id: "restLive",
    tag: "Health",
    summary: "Whether the server lives (Open Inference Protocol)",
    errors: ["rest", "server"],
    answer: object({ live: FLAG }, ["live"]),
  },
  {
    path: "/v2/health/ready",
    id: "restReady",
    tag: "Health",
    summary: "Whether the server takes requests (Open Inference Protocol)",
    errors: ["rest", "server"],
    mayBeUnready: true,
    answer: object({ ready: FLAG, live: FLAG }, ["ready"]),
  },
  {
    path: "/ping",
    id: "ping",
    tag: "Health",
    summary: "Whether the server takes requests (MLflow, SageMaker)",
    errors: ["mlflow", "server"],
    mayBeUnready: true,
    content: PLAIN_TEXT,
  },
];

/** The server itself. */
export const SERVER: readonly Resource[] = [
  {
    path: "/version",
    id: "version",
    tag: "Server",
    summary: "The server's version (MLflow)",
    errors: ["mlflow", "server"],
    content: PLAIN_TEXT,
  },
  {
    path: "/metrics",
    id: "metrics",
    tag: "Server",
    summary: "What the server counts, for Prometheus",
    errors: ["probe", "server"],
    content: { ...PLAIN_TEXT, "application/openmetrics-text": { schema: TEXT } },
  },
  {
    path: "/v2",
    id: "restServer",
    tag: "Server",
    summary: "Name, version and extensions (Open Inference Protocol)",
    errors: ["rest", "server"],
    answer: object({ name: TEXT, version: TEXT, extensions: list(TEXT) }, ["name", "version", "extensions"]),
  },
  {
    path: "/openapi.json",
    id: "openapi",
    tag: "Server",
    summary: "This document",
    errors: ["probe", "server"],
    answer: object({ openapi: TEXT, paths: ANY_OBJECT }, ["openapi", "paths"]),
  },
];

/** All models. */
export const MODELS: readonly Resource[] = [
  {
    path: "/v2/models",
    id: "restModels",
    tag: "Models",
    summary: "The names of models",
    errors: ["rest", "model"],
    answer: object({ models: list(TEXT) }, ["models"]),
  },
  {
    path: "/v1/models",
    id: "v1Models",
    tag: "Models",
    summary: "The names of models (KServe v1)",
    errors: ["v1", "model"],
    answer: object({ models: list(TEXT) }, ["models"]),
  },
  {
    path: "/v2/models/stats",
    id: "restAllStats",
    tag: "Models",
    summary: "What all models did",
    errors: ["rest", "model"],
  },
  {
    path: "/v2/repository/index",
    id: "repositoryIndex",
    tag: "Models",
    summary: "Every version that lies in the repository",
    method: "post",
    body: object({ ready: { ...FLAG, description: "Only those that take requests." } }),
    errors: ["rest", "model"],
    answer: list(
      object({ name: TEXT, version: TEXT, state: TEXT, reason: TEXT }, ["name", "version", "state"]),
    ),
  },
];

/** Of each model, and of each of its versions. */
export const OF_MODEL: readonly Resource[] = [
  {
    path: "",
    id: "restMetadata",
    tag: "Models",
    summary: "Inputs and outputs of a model",
    errors: ["rest", "model"],
    answer: object({ name: TEXT, versions: list(TEXT), platform: TEXT, inputs: TENSORS, outputs: TENSORS }, [
      "name",
      "inputs",
      "outputs",
    ]),
  },
  {
    path: "/ready",
    id: "restModelReady",
    tag: "Models",
    summary: "Whether a model takes requests",
    errors: ["rest", "model"],
    mayBeUnready: true,
    answer: READY,
  },
  {
    path: "/config",
    id: "restConfig",
    tag: "Models",
    summary: "A model as config.pbtxt",
    errors: ["rest", "model"],
  },
  { path: "/stats", id: "restStats", tag: "Models", summary: "What a model did", errors: ["rest", "model"] },
  {
    path: "/docs",
    id: "modelDocs",
    tag: "Models",
    summary: "The document of a model alone; a page for browsers",
    errors: ["rest", "model"],
    answer: object({ openapi: TEXT, paths: ANY_OBJECT }, ["openapi", "paths"]),
    content: HTML,
  },
];

/** Of each model in KServe's and TensorFlow Serving's first protocol. */
export const V1_OF_MODEL: readonly Resource[] = [
  {
    path: "",
    id: "v1Status",
    tag: "Models",
    summary: "Whether a model takes requests (KServe v1, TensorFlow Serving)",
    errors: ["v1", "model"],
    mayBeUnready: true,
    answer: TF_STATUS,
  },
  {
    path: "/metadata",
    id: "v1Metadata",
    tag: "Models",
    summary: "Inputs and outputs of a model (TensorFlow Serving)",
    errors: ["v1", "model"],
    answer: object({ model_spec: ANY_OBJECT, metadata: ANY_OBJECT }, ["model_spec", "metadata"]),
  },
];

/** Loading and unloading, where callers may. */
export const CONTROL: readonly Resource[] = ["load", "unload"].map((verb) => ({
  path: `/v2/repository/models/{model}/${verb}`,
  id: `repository.${verb}`,
  tag: "Models",
  summary: `${verb === "load" ? "Load" : "Unload"} a model`,
  method: "post",
  body: object({ parameters: ANY_OBJECT }),
  errors: ["rest", "model"],
  answer: ANY_OBJECT,
}));
