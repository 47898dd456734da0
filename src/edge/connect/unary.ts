/** Unary calls over Connect's own protocol: the message is the body, an error is JSON. */
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { parseConnectTimeout } from "../call/timeout-header.ts";
import { answerHead } from "../unary/answer-head.ts";
import {
  type AnsweredCall,
  type CallFields,
  COMPRESS_MIN_BYTES,
  type UnaryProtocol,
} from "../unary/unary-form.ts";
import { detailTypes } from "./detail-types.ts";
import { publicError } from "./interceptor.ts";

const FIELDS: CallFields = {
  encoding: "content-encoding",
  acceptEncoding: "accept-encoding",
  timeout: "connect-timeout-ms",
  parseTimeout: parseConnectTimeout,
};

type Field = readonly [name: string, value: string];

/** Connect unary with messages of one content type. */
export function connectUnary(contentType: "application/json" | "application/proto"): UnaryProtocol {
  return {
    name: "connect",
    isFramed: false,
    prefixBytes: 0,
    fields: FIELDS,
    accepts: () => true,
    respond(call, bytes, isCompressed) {
      send(call, 200, [["content-type", contentType]], bytes, isCompressed);
    },
    fail,
  };
}

function fail(call: AnsweredCall, thrown: unknown): void | Promise<void> {
  const error = publicError(thrown, call.edgeCall);
  const fields: Field[] = [["content-type", "application/json"], ...error.metadata.entries()];
  const status = codeToHttpStatus(error.code);
  const bytes = errorToJsonBytes(error, { registry: detailTypes });
  if (call.compression === undefined || bytes.length < COMPRESS_MIN_BYTES) {
    send(call, status, fields, bytes, false);
    return undefined;
  }
  return call.compression.compress(bytes).then((compressed) => send(call, status, fields, compressed, true));
}

function send(call: AnsweredCall, status: number, fields: Field[], bytes: Uint8Array, isCompressed: boolean) {
  const { stream, compression } = call;
  if (isCompressed) fields.push(["content-encoding", compression!.name]);
  fields.push(["content-length", String(bytes.length)]);
  stream.respond(status, answerHead(call, fields));
  stream.write(bytes, true);
}
