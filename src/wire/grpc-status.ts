import type { IncomingHttpHeaders } from "node:http2";
import { create, fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { AssayError, type Violation } from "../errors.ts";

/**
 * The reason that is nearest to a code of gRPC, for statuses that carry no ErrorInfo of Assay's: a proxy's, or those of
 * messages that could not be read. Place in the list = code; the codes are those of gRPC's statuscodes.md.
 */
const NEAREST_REASONS: readonly Reason[] = [
  Reason.INTERNAL,
  Reason.CANCELLED,
  Reason.INTERNAL,
  Reason.INVALID_REQUEST,
  Reason.DEADLINE_EXCEEDED,
  Reason.MODEL_NOT_FOUND,
  Reason.INTERNAL,
  Reason.CONFIG_INVALID,
  // A proxy's limit of calls, or a reason that is newer than this client: both pass.
  Reason.QUEUE_FULL,
  Reason.MODEL_INVALID,
  Reason.SERVER_UNREACHABLE,
  Reason.INVALID_REQUEST,
  Reason.UNIMPLEMENTED,
  Reason.INTERNAL,
  Reason.SERVER_UNREACHABLE,
  Reason.INTERNAL,
  Reason.CONFIG_INVALID,
];

const RESOURCE_EXHAUSTED = 8;
const TOO_LARGE = /(larger|greater|bigger|exceeds?|exceeded) .*(max|limit|\d)|too (large|big)/i;

/** The status that ends a call, from its trailers or, where there was no message, its headers; undefined: none is there. */
export function statusOf(fields: IncomingHttpHeaders): Status | undefined {
  const code = fields["grpc-status"];
  if (typeof code !== "string" || !/^\d{1,3}$/.test(code)) return undefined;
  const message = percentDecoded(String(fields["grpc-message"] ?? ""));
  const encoded = fields["grpc-status-details-bin"];
  const status = create(StatusSchema, { code: Number(code), message });
  if (typeof encoded !== "string") return status;
  try {
    status.details = fromBinary(StatusSchema, Buffer.from(encoded, "base64")).details;
  } catch {
    // Details that cannot be read leave the code and the message, which are enough to go on.
  }
  return status;
}

/**
 * A status that is not OK as an error: reason and violation count from ErrorInfo, violations from BadRequest, and the delay of
 * RetryInfo.
 */
export function statusError(status: Status): AssayError {
  let reason = NEAREST_REASONS[status.code] ?? Reason.INTERNAL;
  // gRPC's libraries, which proxies are made of, give the same code to a message that will never fit.
  if (status.code === RESOURCE_EXHAUSTED && TOO_LARGE.test(status.message)) reason = Reason.MESSAGE_TOO_LARGE;
  let violations: Violation[] = [];
  let violationCount: number | undefined;
  let retryAfterMs: number | undefined;
  for (const detail of status.details) {
    try {
      const info = anyUnpack(detail, ErrorInfoSchema);
      if (info?.domain === "assay") {
        if (Object.hasOwn(Reason, info.reason)) reason = Reason[info.reason as keyof typeof Reason];
        const count = Number(info.metadata.violation_count);
        if (Number.isSafeInteger(count)) violationCount = count;
      }
      const badRequest = anyUnpack(detail, BadRequestSchema);
      if (badRequest !== undefined) {
        violations = badRequest.fieldViolations.map(({ field, description, reason: rule }) => ({
          field,
          description,
          rule,
        }));
      }
      const delay = anyUnpack(detail, RetryInfoSchema)?.retryDelay;
      if (delay !== undefined) retryAfterMs = Math.max(0, Number(delay.seconds) * 1000 + delay.nanos / 1e6);
    } catch {
      // One detail that cannot be read leaves the others.
    }
  }
  const message =
    status.message === "" ? `the server answered with gRPC status ${status.code}` : status.message;
  return new AssayError(reason, message, {
    violations,
    ...(violationCount === undefined ? {} : { violationCount: Math.max(violationCount, violations.length) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** `grpc-message`, which is percent-encoded UTF-8; what is no valid encoding stays as it is. */
export function percentDecoded(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
