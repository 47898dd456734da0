import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";

/** The error of a model that cannot be served as it is; the message says what came, what was expected and what to do. */
export function refusal(message: string, cause?: unknown): AssayError {
  return new AssayError(Reason.MODEL_INVALID, message, cause === undefined ? {} : { cause });
}

/** A name as messages show it: quoted, and cut at 100 characters. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}
