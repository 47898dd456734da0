/** Unary calls over gRPC. */
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { type HeaderBlock, headerBlock } from "../../http2/stream.ts";
import { trailerFields } from "../call/response-fields.ts";
import { parseGrpcTimeout } from "../call/timeout-header.ts";
import { publicError } from "../connect/interceptor.ts";
import { answerHead } from "../unary/answer-head.ts";
import type { AnsweredCall, CallFields, UnaryProtocol } from "../unary/unary-form.ts";
import { COMPRESSED_FLAG, PREFIX_BYTES, writePrefix } from "./grpc-frames.ts";

/** What gRPC and gRPC-Web say in their header blocks. */
export const GRPC_FIELDS: CallFields = {
  encoding: "grpc-encoding",
  acceptEncoding: "grpc-accept-encoding",
  timeout: "grpc-timeout",
  parseTimeout: parseGrpcTimeout,
};

/** The head of an answer in gRPC or gRPC-Web. */
export function grpcHead(call: AnsweredCall, contentType: string): HeaderBlock {
  const { compression } = call;
  return compression === undefined
    ? answerHead(call, [["content-type", contentType]])
    : answerHead(call, [
        ["content-type", contentType],
        ["grpc-encoding", compression.name],
      ]);
}

const CONTENT_TYPE = "application/grpc+proto";
const DONE = headerBlock([["grpc-status", "0"]]);

/** gRPC over HTTP/2, with binary messages. */
export const grpcUnary: UnaryProtocol = {
  name: "grpc",
  isFramed: true,
  prefixBytes: PREFIX_BYTES,
  fields: GRPC_FIELDS,
  accepts: (stream) => stream.httpVersion === 2,
  respond(call, bytes, isCompressed) {
    const { stream } = call;
    writePrefix(bytes, isCompressed ? COMPRESSED_FLAG : 0, bytes.length - PREFIX_BYTES);
    stream.respond(200, grpcHead(call, CONTENT_TYPE));
    stream.write(bytes);
    stream.trailers(DONE);
  },
  // Trailers-Only: a head by itself would be an answer that has begun, which clients do not retry.
  fail(call, error) {
    const trailer = setTrailerStatus(new Headers(), publicError(error, call.edgeCall));
    const head = grpcHead(call, CONTENT_TYPE);
    call.stream.respond(200, headerBlock([...head.fields, ...trailerFields(trailer)]), true);
  },
};
