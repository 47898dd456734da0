/**
 * The fields of a call's line in the log. Comes in: a call that has ended. Goes out: who called what, how large it was, how long each
 * stage took, and how it ended. Promises: nothing of what the request holds but the two ids that are for the log; a model's name is the
 * registry's, a path the row's pattern; what a caller chose is cut.
 */
import { Code } from "@connectrpc/connect";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { type AssayError, reasonName } from "../../errors.ts";
import type { ServerStream } from "../../http2/stream.ts";
import type { Call, CallTrace } from "../../service/call.ts";
import { maskedCause, maskedText } from "../../telemetry/masked-text.ts";
import { errorRow } from "../call/error-table.ts";
import { readTraceParent } from "../trace/trace-parent.ts";

/** A call as its line tells of it. */
export interface LoggedCall {
  readonly id: string;
  readonly call: Call;
  readonly stream: ServerStream;
  /** The pattern of the row that served it. */
  readonly pattern: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** What HTTP said, where the answer's protocol has nothing else; 0: what the error's row says. */
  readonly httpStatus: number;
  /** Of an error that has no reason of Assay's: one that Connect's handlers find in what they are sent. */
  readonly code: Code | undefined;
}

/** By whose fields lines of one call are found. */
export function idFields({ id, stream, pattern, call }: LoggedCall): Record<string, unknown> {
  return {
    requestId: id,
    ...traceFields(stream, call.trace),
    procedure: pattern,
    protocol: call.protocol,
  };
}

/** The trace that a call is in: recorded here, with its span, or its caller's. */
export function traceFields({ headers }: ServerStream, recorded?: CallTrace): Record<string, unknown> {
  if (recorded !== undefined) return { trace_id: recorded.traceId, span_id: recorded.spanId };
  const parent = readTraceParent(headers.get("traceparent"));
  return parent === undefined ? {} : { trace_id: parent.traceId };
}

const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;

/** The address of whoever sent a stream. */
export function peerField({ remoteAddress }: ServerStream): Record<string, unknown> {
  return remoteAddress === "" ? {} : { peer: remoteAddress.replace(MAPPED_IPV4, "") };
}

/** All that is known of a call that has ended. */
export function accessFields(logged: LoggedCall, durationMs: number, error?: AssayError): object {
  const { call, stream, requestBytes, responseBytes } = logged;
  return {
    ...idFields(logged),
    ...peerField(stream),
    ...(call.caller.id === "" ? {} : { caller: call.caller.id }),
    ...modelFields(call),
    requestBytes,
    responseBytes,
    durationMs: rounded(durationMs),
    ...stageFields(call),
    status: statusOf(logged, error),
    ...(error === undefined ? {} : errorFields(error)),
  };
}

const MAX_ID_CHARACTERS = 128;

function modelFields({ modelName, modelVersion, messageId, rows, items, failedItems }: Call): object {
  return {
    ...(modelName === "" ? {} : { model: modelName, version: modelVersion }),
    ...(messageId === "" ? {} : { messageId: messageId.slice(0, MAX_ID_CHARACTERS) }),
    ...(modelName === "" && items === 0 ? {} : { rows }),
    ...(items === 0 ? {} : { items, failedItems }),
  };
}

/** Stages that were not reached have no field, and a stream's items none of the stream's. */
function stageFields({ enqueuedAt, startedAt, endedAt }: Call): object {
  return {
    ...(startedAt >= enqueuedAt ? { queueMs: rounded(startedAt - enqueuedAt) } : {}),
    ...(endedAt >= startedAt ? { runMs: rounded(endedAt - startedAt) } : {}),
  };
}

/** Protocols that tell how a call ended by gRPC's codes. */
export const RPC: ReadonlySet<string> = new Set(["grpc", "grpc-web", "connect"]);

/** How a call ended: a code's name, or HTTP's status. */
export function statusOf(
  { call, httpStatus, code }: LoggedCall,
  error: AssayError | undefined,
): string | number {
  const row = error === undefined ? undefined : errorRow(error.reason);
  if (!RPC.has(call.protocol)) return httpStatus || (row?.httpStatus ?? 200);
  return statusName(row?.code ?? code);
}

/** gRPC's name of a code, `INVALID_ARGUMENT`; Connect writes `InvalidArgument`, and `Canceled` with one l. */
function statusName(code: Code | undefined): string {
  if (code === undefined) return "OK";
  if (code === Code.Canceled) return "CANCELLED";
  const name = Code[code] ?? String(code);
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

/** Their messages are about the server and its limits alone; those of others say what came. */
const ABOUT_THE_SERVER: ReadonlySet<Reason> = new Set([
  Reason.QUEUE_FULL,
  Reason.DEADLINE_EXCEEDED,
  Reason.CANCELLED,
  Reason.INSTANCE_LOST,
  Reason.RUN_TIMEOUT,
  Reason.MESSAGE_TOO_LARGE,
  Reason.SHUTTING_DOWN,
  Reason.LIMIT_REACHED,
  Reason.MEMORY_FULL,
  Reason.IDENTITY_UNAVAILABLE,
]);
const MOST_RULES = 5;

/** Why a call or an item failed. Of what a caller did wrong, which rules it broke: the answer says the rest to the caller alone. */
export function errorFields(error: AssayError): Record<string, unknown> {
  const { reason, message, cause, violations, violationCount } = error;
  const fields: Record<string, unknown> = { reason: reasonName(reason) };
  if (isServersFault(error)) {
    fields.error = maskedText(message);
    if (cause !== undefined) fields.cause = maskedCause(cause);
  } else if (ABOUT_THE_SERVER.has(reason)) fields.error = message;
  if (violations.length > 0) {
    fields.violations = violationCount;
    fields.rules = [...new Set(violations.map(({ rule }) => rule))].slice(0, MOST_RULES);
  }
  return fields;
}

/** Whether an operator has to look at it. */
export function isServersFault({ reason, cause }: AssayError): boolean {
  return cause !== undefined || reason === Reason.INTERNAL || reason === Reason.RUN_FAILED;
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
