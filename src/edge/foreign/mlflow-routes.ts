/** MLflow's scoring server: `/invocations`, and what tells that it is there. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { reasonName } from "../../errors.ts";
import type { Readiness } from "../../registry/models.ts";
import type { PlainRoute } from "../plain/plain-http.ts";
import { readCsv } from "./csv-body.ts";
import { foreignError } from "./foreign-error.ts";
import type { ForeignForm } from "./foreign-unary.ts";
import { readMlflow } from "./mlflow-body.ts";

/** MLflow's names of what is wrong; for the rest the reason's own name stands. */
const MLFLOW_CODES: Readonly<Partial<Record<Reason, string>>> = {
  [Reason.INVALID_REQUEST]: "BAD_REQUEST",
  [Reason.ROWS_REFUSED]: "BAD_REQUEST",
  [Reason.MESSAGE_TOO_LARGE]: "BAD_REQUEST",
  [Reason.REQUEST_TOO_LARGE]: "BAD_REQUEST",
  [Reason.MODEL_NOT_FOUND]: "RESOURCE_DOES_NOT_EXIST",
  [Reason.MODEL_VERSION_NOT_FOUND]: "RESOURCE_DOES_NOT_EXIST",
  [Reason.UNIMPLEMENTED]: "ENDPOINT_NOT_FOUND",
  [Reason.QUEUE_FULL]: "REQUEST_LIMIT_EXCEEDED",
  [Reason.LIMIT_REACHED]: "REQUEST_LIMIT_EXCEEDED",
  [Reason.MEMORY_FULL]: "RESOURCE_EXHAUSTED",
  [Reason.UNAUTHENTICATED]: "UNAUTHENTICATED",
  [Reason.PERMISSION_DENIED]: "PERMISSION_DENIED",
  [Reason.RATE_EXCEEDED]: "REQUEST_LIMIT_EXCEEDED",
  [Reason.IDENTITY_UNAVAILABLE]: "TEMPORARILY_UNAVAILABLE",
  [Reason.MODEL_NOT_READY]: "TEMPORARILY_UNAVAILABLE",
  [Reason.MODEL_INVALID]: "TEMPORARILY_UNAVAILABLE",
  [Reason.INSTANCE_LOST]: "TEMPORARILY_UNAVAILABLE",
  [Reason.SHUTTING_DOWN]: "TEMPORARILY_UNAVAILABLE",
  [Reason.RUN_FAILED]: "INTERNAL_ERROR",
  [Reason.INTERNAL]: "INTERNAL_ERROR",
};

/** `{"error_code": …, "message": …}`, as MLflow writes it. */
function mlflowErrorBody(message: string, reason: Reason): unknown {
  return { error_code: MLFLOW_CODES[reason] ?? reasonName(reason), message };
}

const CSV = /^\s*text\/csv\s*(;|$)/i;

const SHARED = {
  name: "mlflow",
  memberOf: () => "predictions",
  errorBody: mlflowErrorBody,
} as const;

/** The forms of a body, by its content type. */
export const MLFLOW_FORMS: readonly ForeignForm[] = [
  { ...SHARED, body: { text: readCsv }, takes: (type) => CSV.test(type) },
  { ...SHARED, body: { json: readMlflow }, takes: (type) => !CSV.test(type) },
];

/** Without a model it is the server's default model, or its only one. */
export const MLFLOW_PATTERNS = ["/invocations", "/invocations/{model}", "/invocations/{model}/{version}"];

/** `/ping` is asked before anything is scored, by SageMaker too; `/version` is the server's own. */
export function mlflowRoutes(readiness: () => Readiness, version: string): PlainRoute[] {
  return [
    { ...text("/ping", () => ({ status: readiness().ready ? 200 : 503, body: "\n" })), isOpen: true },
    text("/version", () => ({ status: 200, body: version })),
  ];
}

function text(pattern: string, answer: () => { readonly status: number; readonly body: string }): PlainRoute {
  return {
    pattern,
    methods: ["GET", "HEAD"],
    handle() {
      const { status, body } = answer();
      return { status, body: Buffer.from(body), contentType: "text/plain; charset=utf-8" };
    },
    errorResponse: (error) => foreignError(error, mlflowErrorBody, () => undefined),
  };
}
