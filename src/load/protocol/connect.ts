import { fromBinary } from "@bufbuild/protobuf";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import type { Failure } from "../failure.ts";
import {
  type CallAnswer,
  type CallForm,
  ERROR_INFO_TYPE,
  foreignAnswer,
  isAssayInfo,
  type MessageCheck,
  PREDICT_PATH,
  USER_AGENT,
} from "./call-form.ts";

/** Unary calls of Connect's own protocol, binary or JSON. */
export function connectForm(
  contentType: "application/proto" | "application/json",
  message: Uint8Array,
  check: MessageCheck,
): CallForm {
  return {
    path: PREDICT_PATH,
    fields: [["content-type", contentType], ["connect-protocol-version", "1"], USER_AGENT],
    body: message,
    failure(answer) {
      if (answer.status !== 200) return errorFailure(answer) ?? foreignAnswer(answer, "Connect");
      if (answer.field("content-type")?.startsWith(contentType) !== true)
        return foreignAnswer(answer, "Connect");
      return check(answer.body);
    },
  };
}

interface ConnectErrorJson {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly details?: readonly { readonly type?: unknown; readonly value?: unknown }[];
}

/** An error of Connect; undefined where the body is none. */
function errorFailure({ body }: CallAnswer): Failure | undefined {
  try {
    const { code, message = "", details = [] } = JSON.parse(body.toString()) as ConnectErrorJson;
    if (typeof code !== "string") return undefined;
    const detail = details.find(({ type }) => type === ERROR_INFO_TYPE);
    // gRPC writes this one with two l.
    const name = code === "canceled" ? "CANCELLED" : code.toUpperCase();
    return { code: name, reason: reasonOf(detail?.value), message: String(message) };
  } catch {
    return undefined;
  }
}

function reasonOf(value: unknown): string {
  if (typeof value !== "string") return "";
  const info = fromBinary(ErrorInfoSchema, Buffer.from(value, "base64"));
  return isAssayInfo(info) ? info.reason : "";
}
