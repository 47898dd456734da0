/** How a call fails, in the form of whoever calls: each status with the reasons that have it, in the words of the schema. */
import { Code } from "@connectrpc/connect";
import { codeToHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { COMMENTS } from "../../../gen/comments.ts";
import { reasonName } from "../../errors.ts";
import { UnknownCoding } from "../call/content-coding.ts";
import { errorRow } from "../call/error-table.ts";
import { restStatus } from "../inference-rest/rest-errors.ts";
import { COUNT, closed, jsonContent, list, object, reference, type Schema, TEXT } from "./schema-parts.ts";

/** Whose form an error has. */
export type ErrorForm = "predict" | "connect" | "rest" | "v1" | "mlflow" | "probe";

/** What a call may fail of: what it names and brings, or nothing but the server itself. */
export type ErrorCauses = "scoring" | "model" | "server";

/** They end commands and starts, or calls that nobody waits for any more. */
const NEVER_ANSWERED: ReadonlySet<Reason> = new Set([
  Reason.REASON_UNSPECIFIED,
  Reason.CANCELLED,
  Reason.TABLE_INVALID,
  Reason.SERVER_UNREACHABLE,
]);
/** They are about what is scored. */
const OF_SCORING: ReadonlySet<Reason> = new Set([
  Reason.QUEUE_FULL,
  Reason.INSTANCE_LOST,
  Reason.RUN_FAILED,
  Reason.RUN_TIMEOUT,
  Reason.OUTPUT_TOO_LARGE,
  Reason.REQUEST_TOO_LARGE,
  Reason.ROWS_REFUSED,
]);
const OF_MODELS: ReadonlySet<Reason> = new Set([
  Reason.INVALID_REQUEST,
  Reason.MODEL_NOT_FOUND,
  Reason.MODEL_VERSION_NOT_FOUND,
  Reason.MODEL_NOT_READY,
  Reason.MODEL_INVALID,
  Reason.CONFIG_INVALID,
  Reason.DEVICE_UNAVAILABLE,
]);

const REASONS: readonly Reason[] = Object.values(Reason).filter(
  (value) => typeof value === "number" && !NEVER_ANSWERED.has(value),
);

function reasonsOf(causes: ErrorCauses): readonly Reason[] {
  if (causes === "scoring") return REASONS;
  const rest = REASONS.filter((reason) => !OF_SCORING.has(reason));
  return causes === "model" ? rest : rest.filter((reason) => !OF_MODELS.has(reason));
}

const HEADER_LIST_TOO_LARGE = 431;

/** An object with `error` alone, as Open Inference and KServe v1 have it. */
const ERROR_TEXT = closed({ error: TEXT }, ["error"]);

const SCHEMAS: Readonly<Record<ErrorForm, Schema>> = {
  predict: {
    description: "FastAPI's form: a list for a request that breaks rules, else a sentence and the reason.",
    anyOf: [
      object(
        {
          detail: list(
            object(
              {
                type: TEXT,
                loc: {
                  ...list({ type: ["string", "integer"] }),
                  description: "Where it stands, from `body` on.",
                },
                msg: TEXT,
              },
              ["type", "loc", "msg"],
            ),
          ),
          violation_count: { ...COUNT, description: "How many there are, where fewer are listed." },
        },
        ["detail"],
      ),
      object({ detail: TEXT, reason: { type: "string", enum: REASONS.map(reasonName) } }, [
        "detail",
        "reason",
      ]),
      object({ code: TEXT, message: TEXT }, ["code", "message"]),
    ],
  },
  connect: {
    ...object(
      {
        code: { type: "string", enum: codes().map(codeToString) },
        message: TEXT,
        details: {
          ...list(object({ type: TEXT, value: TEXT, debug: {} }, ["type", "value"])),
          description:
            "Messages of google.rpc in base64: ErrorInfo with the reason; BadRequest with what the request breaks; RetryInfo.",
        },
      },
      ["code"],
    ),
    description: "Connect's form of an error.",
  },
  rest: ERROR_TEXT,
  v1: object({ error: TEXT }, ["error"]),
  mlflow: object({ error_code: TEXT, message: TEXT }, ["error_code", "message"]),
  probe: object({ message: TEXT }, ["message"]),
};

function codes(): Code[] {
  return Object.values(Code).filter((value): value is Code => typeof value === "number");
}

const STATUSES: Readonly<Record<ErrorForm, (reason: Reason) => number>> = {
  predict: plainStatus,
  connect: (reason) => codeToHttpStatus(errorRow(reason).code),
  rest: restStatus,
  v1: foreignStatus,
  mlflow: foreignStatus,
  probe: plainStatus,
};

function plainStatus(reason: Reason): number {
  return errorRow(reason).httpStatus;
}

function foreignStatus(reason: Reason): number {
  return reason === Reason.INVALID_REQUEST ? 400 : plainStatus(reason);
}

/** Adds the responses of a form to the document's, each once, and answers those of one operation. */
export class ErrorResponses {
  private readonly schemas: Schema;
  private readonly responses: Schema;

  constructor(schemas: Schema, responses: Schema) {
    this.schemas = schemas;
    this.responses = responses;
  }

  /** How an error looks. */
  schema(form: ErrorForm): Schema {
    const name = `error.${form}`;
    this.schemas[name] ??= SCHEMAS[form];
    return reference("schemas", name);
  }

  /** By their statuses. */
  of(form: ErrorForm, causes: ErrorCauses): Schema {
    const schema = this.schema(form);
    const byStatus = new Map<number, string[]>();
    for (const reason of reasonsOf(causes)) {
      const status = STATUSES[form](reason);
      byStatus.set(status, [...(byStatus.get(status) ?? []), reasonLine(reason)]);
    }
    byStatus.set(HEADER_LIST_TOO_LARGE, [
      "The request's header list is larger than `--max-header-list-bytes`.",
    ]);
    byStatus.set(UnknownCoding.httpStatus, ["The body has a content-coding that the server does not take."]);
    const found: Schema = {};
    for (const [status, lines] of [...byStatus].sort(([a], [b]) => a - b)) {
      const name = `${form}.${causes}.${status}`;
      const isConnectsOwn = form === "connect" && status === UnknownCoding.httpStatus;
      this.responses[name] ??= {
        description: lines.join("\n"),
        content: { ...jsonContent(schema), ...(isConnectsOwn ? UNKNOWN_TYPE : {}) },
      };
      found[String(status)] = reference("responses", name);
    }
    return found;
  }
}

/** Which protocol is spoken is not known then. */
const UNKNOWN_TYPE = { "text/plain": { schema: TEXT } };

function reasonLine(reason: Reason): string {
  const name = reasonName(reason);
  const comment = COMMENTS[`assay.v1.Reason.${name}`] ?? COMMENTS[`assay.v1.${name}`] ?? "";
  return `- \`${name}\`: ${comment}`;
}
