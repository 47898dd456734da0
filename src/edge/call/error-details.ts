import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { type ItemError, ItemErrorSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import {
  type BadRequest_FieldViolation,
  BadRequest_FieldViolationSchema,
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../../gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "../../../gen/google/rpc/status_pb.ts";
import { type AssayError, reasonName, type Violation } from "../../errors.ts";
import { errorRow } from "./error-table.ts";

/** The part of an error that is sent. */
export interface ErrorCut {
  readonly maxViolations: number;
  /** Encoded bytes of all violations together. */
  readonly maxViolationBytes: number;
}

/** For whole calls, in every protocol: clients refuse trailers of more than 8 KiB, and base64 adds a third. */
export const CALL_CUT: ErrorCut = { maxViolations: 20, maxViolationBytes: 4096 };

/** For the status of one stream item, which travels in a message. */
export const ITEM_CUT: ErrorCut = { maxViolations: Number.POSITIVE_INFINITY, maxViolationBytes: 65_536 };

const MAX_MESSAGE_CHARACTERS = 600;
const MAX_FIELD_CHARACTERS = 256;
const MAX_DESCRIPTION_CHARACTERS = 1000;
const FIELD_OVERHEAD_BYTES = 4;

/** The first violations that fit the cut, in their order; never none of some. */
export function cutViolations(violations: readonly Violation[], cut: ErrorCut): BadRequest_FieldViolation[] {
  const kept: BadRequest_FieldViolation[] = [];
  let bytes = 0;
  for (const violation of violations) {
    if (kept.length >= cut.maxViolations) break;
    const field = create(BadRequest_FieldViolationSchema, {
      field: shortened(violation.field, MAX_FIELD_CHARACTERS),
      description: shortened(violation.description, MAX_DESCRIPTION_CHARACTERS),
      reason: violation.rule,
    });
    bytes += toBinary(BadRequest_FieldViolationSchema, field).byteLength + FIELD_OVERHEAD_BYTES;
    if (bytes > cut.maxViolationBytes && kept.length > 0) break;
    kept.push(field);
  }
  return kept;
}

/** The message as callers see it: at most 600 characters, since it travels twice in gRPC's trailers. */
export function publicMessage(error: AssayError): string {
  return shortened(error.message, MAX_MESSAGE_CHARACTERS);
}

/** The wait that is asked of the caller before it tries again; undefined where trying again would not help. */
export function retryAfterMs(error: AssayError): number | undefined {
  return error.retryAfterMs ?? errorRow(error.reason).retryAfterMs;
}

/** The error as Connect's handlers send it: code, message, and google.rpc details under `CALL_CUT`. */
export function toConnectError(error: AssayError, protocol: string): ConnectError {
  const retryMs = retryAfterMs(error);
  const connectError = new ConnectError(
    publicMessage(error),
    errorRow(error.reason).code,
    undefined,
    errorDetails(error, CALL_CUT).map(({ desc, message }) => ({ desc, value: message })),
    error.cause,
  );
  if (protocol === "connect" && retryMs !== undefined) {
    connectError.metadata.set("retry-after", retryAfterSeconds(retryMs));
  }
  if (protocol === "connect" && error.reason === Reason.UNAUTHENTICATED)
    connectError.metadata.set("www-authenticate", "Bearer");
  // gRPC and Connect give this code to messages that are too large, and clients are told by code when to try again: not then.
  if (protocol.startsWith("grpc") && errorRow(error.reason).isFinal === true) {
    connectError.metadata.set("grpc-retry-pushback-ms", "-1");
  }
  return connectError;
}

/** The error as the status of one stream item. */
export function toItemStatus(error: AssayError): Status {
  return create(StatusSchema, {
    code: errorRow(error.reason).code,
    message: publicMessage(error),
    details: errorDetails(error, ITEM_CUT).map(({ desc, message }) => anyPack(desc, message)),
  });
}

/** The same facts in fields of their own, for JSON: who reads it needs no registry of the details' types. */
export function toItemError(error: AssayError): ItemError {
  const retryMs = retryAfterMs(error);
  return create(ItemErrorSchema, {
    reason: publicReason(error),
    violations: cutViolations(error.violations, ITEM_CUT),
    violationCount: error.violationCount,
    ...(retryMs === undefined ? {} : { retryDelay: durationOf(retryMs) }),
  });
}

/** The value of a Retry-After header: whole seconds, at least 1. */
export function retryAfterSeconds(retryMs: number): string {
  return String(Math.max(1, Math.ceil(retryMs / 1000)));
}

interface Detail {
  readonly desc: DescMessage;
  readonly message: MessageShape<DescMessage>;
}

function errorDetails(error: AssayError, cut: ErrorCut): Detail[] {
  const metadata: Record<string, string> = {};
  const details: Detail[] = [];
  if (error.violationCount > 0) {
    metadata.violation_count = String(error.violationCount);
    const fieldViolations = cutViolations(error.violations, cut);
    details.push({ desc: BadRequestSchema, message: create(BadRequestSchema, { fieldViolations }) });
  }
  const retryMs = retryAfterMs(error);
  if (retryMs !== undefined) {
    const message = create(RetryInfoSchema, { retryDelay: durationOf(retryMs) });
    details.push({ desc: RetryInfoSchema, message });
  }
  const info = create(ErrorInfoSchema, { domain: "assay", reason: publicReason(error), metadata });
  return [{ desc: ErrorInfoSchema, message: info }, ...details];
}

function publicReason({ reason }: AssayError): string {
  return reasonName(reason === Reason.REASON_UNSPECIFIED ? Reason.INTERNAL : reason);
}

function durationOf(ms: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.round((ms % 1000) * 1_000_000) };
}

function shortened(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1)}…`;
}
