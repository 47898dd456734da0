import type { AssayError } from "../errors.ts";
import { reasonName } from "../errors.ts";

/** Why a call failed. */
export interface Failure {
  /** The name of a code of gRPC, or `HTTP 422` where only an HTTP status came. */
  readonly code: string;
  /** Assay's reason; empty where none came. */
  readonly reason: string;
  readonly message: string;
}

/** gRPC's codes by number, as its statuscodes.md names them. */
const CODE_NAMES: readonly string[] =
  "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED".split(
    " ",
  );

/** The name of a code. */
function codeName(code: number): string {
  return CODE_NAMES[code] ?? `CODE ${code}`;
}

/** A server that is not there, or a connection that ended. */
export function unreachable(message: string): Failure {
  return { code: "UNAVAILABLE", reason: "SERVER_UNREACHABLE", message };
}

/** A call that took longer than it may. */
export function timedOut(timeoutMs: number): Failure {
  return { code: "DEADLINE_EXCEEDED", reason: "", message: `no answer within ${timeoutMs} ms` };
}

/** An answer that is none of the protocol. */
export function unreadable(message: string): Failure {
  return { code: "INTERNAL", reason: "", message: `the answer cannot be read: ${message}` };
}

/** A status of gRPC that is not OK. */
export function statusFailure(code: number, error: AssayError, hasReason: boolean): Failure {
  return { code: codeName(code), reason: hasReason ? reasonName(error.reason) : "", message: error.message };
}
