/** Which limit a call was ended by. Pure. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { AssayError } from "../../errors.ts";
import type { Limit } from "../../limits.ts";

/** Reasons that come from one limit alone, wherever the error was made: some come from other threads, as reason and message. */
const OF_REASON: Partial<Record<Reason, Limit>> = {
  [Reason.OUTPUT_TOO_LARGE]: "run-bytes",
  [Reason.RUN_TIMEOUT]: "run-timeout-ms",
};

/** Rules that bound how much may come, by their ids. */
const OF_RULE: Readonly<Record<string, Limit>> = {
  "json.depth": "message-depth",
  "json.long_name": "text-characters",
  "json.long_number": "number-digits",
  "json.too_many_members": "message-fields",
  "message.too_many_fields": "message-fields",
  "repeated.max_items": "list-items",
};

/** The limit that the error tells of; undefined where it tells of none. */
export function limitOf({ limit, reason, violations }: AssayError): Limit | undefined {
  if (limit !== undefined) return limit;
  const ofReason = OF_REASON[reason];
  if (ofReason !== undefined) return ofReason;
  for (const { rule } of violations) {
    const ofRule = OF_RULE[rule];
    if (ofRule !== undefined) return ofRule;
  }
  return undefined;
}

/** Whether it says that a deadline has passed, whoever set it. */
export function isDeadline({ reason }: AssayError): boolean {
  return reason === Reason.DEADLINE_EXCEEDED;
}
