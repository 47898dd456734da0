/** Unary calls over Connect's own protocol: the message is the body, an error is JSON. */
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { parseConnectTimeout } from "../call/timeout-header.ts";
import { answerHead, HeadBases } from "../unary/answer-head.ts";
import {
  type AnsweredCall,
  type CallFields,
  COMPRESS_MIN_BYTES,
  type UnaryProtocol,
  VARIES_BY_CODING,
} from "../unary/unary-form.ts";
import { detailTypes } from "./detail-types.ts";
import { publicError } from "./interceptor.ts";

const FIELDS: CallFields = {
  encoding: "content-encoding",
  acceptEncoding: "accept-encoding",
  timeout: "connect-timeout-ms",
  parseTimeout: parseConnectTimeout,
};

const ERRORS = new HeadBases("application/json", FIELDS.encoding);

/** Connect unary with messages of one content type; `explain` has the last word on an error, before it is written. */
export function connectUnary(
  contentType: "application/json" | "application/proto",
  explain: Explain = unexplained,
): UnaryProtocol {
  const heads = new HeadBases(contentType, FIELDS.encoding);
  return {
    name: "connect",
    isFramed: false,
    prefixBytes: 0,
    fields: FIELDS,
    accepts: () => true,
    respond(call, bytes, isCompressed) {
      send(call, 200, heads, [], bytes, isCompressed);
    },
    fail: (call, thrown) => fail(call, thrown, explain),
  };
}

/** What an error's message is to say to whoever sent a call. */
export type Explain = (message: string, thrown: unknown, call: AnsweredCall) => string;

function unexplained(message: string): string {
  return message;
}

function fail(call: AnsweredCall, thrown: unknown, explain: Explain): void | Promise<void> {
  const error = publicError(thrown, call.edgeCall);
  Object.assign(error, { rawMessage: explain(error.rawMessage, thrown, call) });
  const metadata = [...error.metadata.entries()];
  const status = codeToHttpStatus(error.code);
  const bytes = errorToJsonBytes(error, { registry: detailTypes });
  if (call.compression === undefined || bytes.length < COMPRESS_MIN_BYTES) {
    send(call, status, ERRORS, metadata, bytes, false);
    return undefined;
  }
  return call.compression
    .compress(bytes)
    .then((compressed) => send(call, status, ERRORS, metadata, compressed, true));
}

function send(
  call: AnsweredCall,
  status: number,
  heads: HeadBases,
  metadata: [string, string][],
  bytes: Uint8Array,
  isCompressed: boolean,
): void {
  const { stream, compression } = call;
  metadata.push(["content-length", String(bytes.length)]);
  if (isCompressed || bytes.length >= COMPRESS_MIN_BYTES) metadata.push([...VARIES_BY_CODING]);
  call.edgeCall.responseBytes = bytes.length;
  stream.respond(status, answerHead(call, heads.of(isCompressed ? compression!.name : ""), metadata));
  stream.write(bytes, true);
}
