/** Errors of calls, as people read them. */
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import type { Fault } from "./form/fields-form.ts";

/** What a call was refused with. */
export interface Refusal {
  readonly code: string;
  readonly reason: string;
  readonly message: string;
  readonly faults: readonly Fault[];
  /** How many there are; those that came may be fewer. */
  readonly faultCount: number;
}

/** Reads what was thrown by a call. */
export function refusalOf(thrown: unknown): Refusal {
  const error = ConnectError.from(thrown);
  const [info] = error.findDetails(ErrorInfoSchema);
  const [bad] = error.findDetails(BadRequestSchema);
  const faults = (bad?.fieldViolations ?? []).map(({ field, description }) => ({ field, description }));
  return {
    code: Code[error.code] ?? String(error.code),
    reason: info?.reason ?? "",
    message: error.rawMessage,
    faults,
    faultCount: Number(info?.metadata.violation_count ?? faults.length),
  };
}
