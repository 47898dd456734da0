import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { type ErrorInfo, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import type { Failure } from "../failure.ts";

/** What came back for one call. */
export interface CallAnswer {
  /** Of HTTP. */
  readonly status: number;
  /** A field of the head, by its lower-case name. */
  field(name: string): string | undefined;
  /** A field behind the body. */
  trailer(name: string): string | undefined;
  /** Octets of the body as they came. */
  readonly body: Buffer;
}

/** Calls of one protocol: what is sent, the same each time, and how an answer is judged. */
export interface CallForm {
  readonly path: string;
  /** All but those that HTTP itself needs. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  /** Why the call failed; undefined: it succeeded. */
  failure(answer: CallAnswer): Failure | undefined;
}

/** Judges the message of an answer that says that the call succeeded. */
export type MessageCheck = (message: Uint8Array) => Failure | undefined;

/** The path of unary calls that score. */
export const PREDICT_PATH = "/assay.v1.ScoringService/Predict";

const SHOWN_BYTES = 240;

/** What servers may know the load by. */
export const USER_AGENT: readonly [string, string] = ["user-agent", "assay-bench"];

/** An answer that is not the protocol's: another server's, or a proxy's. */
export function foreignAnswer(answer: CallAnswer, protocol: string): Failure {
  const type = answer.field("content-type") ?? "no content type";
  const text = answer.body.toString("latin1", 0, SHOWN_BYTES).replace(/[^ -~]+/g, " ");
  return {
    code: `HTTP ${answer.status}`,
    reason: "",
    message: `HTTP status ${answer.status} with ${type} came; expected is an answer of ${protocol}: is this the URL of an Assay server? It says: ${text}`,
  };
}

/** Whether details name a reason of Assay's. */
export function isAssayInfo(info: ErrorInfo | undefined): boolean {
  return info?.domain === "assay" && Object.hasOwn(Reason, info.reason);
}

/** The type of the detail that names the reason. */
export const ERROR_INFO_TYPE: string = ErrorInfoSchema.typeName;
