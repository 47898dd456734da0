import { framed, PREFIX_BYTES } from "../../wire/grpc-frame.ts";
import { statusError, statusOf } from "../../wire/grpc-status.ts";
import { type Failure, statusFailure, unreadable } from "../failure.ts";
import {
  type CallAnswer,
  type CallForm,
  ERROR_INFO_TYPE,
  foreignAnswer,
  type MessageCheck,
  PREDICT_PATH,
  USER_AGENT,
} from "./call-form.ts";

/** The fields that open each call of gRPC. */
export const GRPC_FIELDS: CallForm["fields"] = [
  ["content-type", "application/grpc"],
  ["te", "trailers"],
  USER_AGENT,
];

/** Unary calls of gRPC. */
export function grpcForm(message: Uint8Array, check: MessageCheck): CallForm {
  return {
    path: PREDICT_PATH,
    fields: GRPC_FIELDS,
    body: framed(0, message),
    failure(answer) {
      // Where there is no message, the status stands in the head.
      const status = answer.trailer("grpc-status") ?? answer.field("grpc-status");
      if (status === undefined) return foreignAnswer(answer, "gRPC");
      if (status !== "0") return grpcFailure((name) => answer.trailer(name) ?? answer.field(name));
      return bodyFailure(answer, check);
    },
  };
}

/** The failure that fields of gRPC tell. */
export function grpcFailure(field: (name: string) => string | undefined): Failure {
  const names = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
  const status = statusOf(Object.fromEntries(names.map((name) => [name, field(name)])));
  if (status === undefined) return unreadable(`grpc-status is ${JSON.stringify(field("grpc-status"))}`);
  const hasReason = status.details.some(({ typeUrl }) => typeUrl.endsWith(ERROR_INFO_TYPE));
  return statusFailure(status.code, statusError(status), hasReason);
}

function bodyFailure({ body }: CallAnswer, check: MessageCheck): Failure | undefined {
  if (body.length < PREFIX_BYTES) return unreadable("OK came without a message");
  if (body[0] !== 0) return unreadable("a compressed message came, and none was asked for");
  if (body.readUInt32BE(1) !== body.length - PREFIX_BYTES) return unreadable("its message is cut off");
  return check(body.subarray(PREFIX_BYTES));
}
