/** Unary calls over gRPC. */
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { headerBlock } from "../../http2/stream.ts";
import { COMPRESSED_FLAG, PREFIX_BYTES, writePrefix } from "../../wire/grpc-frame.ts";
import { trailerFields } from "../call/response-fields.ts";
import { parseGrpcTimeout } from "../call/timeout-header.ts";
import { publicError } from "../connect/interceptor.ts";
import { answerHead, HeadBases } from "../unary/answer-head.ts";
import type { CallFields, UnaryProtocol } from "../unary/unary-form.ts";

/** What gRPC and gRPC-Web say in their header blocks. */
export const GRPC_FIELDS: CallFields = {
  encoding: "grpc-encoding",
  acceptEncoding: "grpc-accept-encoding",
  timeout: "grpc-timeout",
  parseTimeout: parseGrpcTimeout,
};

const HEADS = new HeadBases("application/grpc+proto", GRPC_FIELDS.encoding);
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
    stream.respond(200, answerHead(call, HEADS.of(call.compression?.name ?? "")));
    stream.write(bytes);
    stream.trailers(DONE);
  },
  // Trailers-Only: a head by itself would be an answer that has begun, which clients do not retry.
  fail(call, error) {
    const trailer = setTrailerStatus(new Headers(), publicError(error, call.edgeCall));
    const head = answerHead(call, HEADS.of(call.compression?.name ?? ""), trailerFields(trailer));
    call.stream.respond(200, head, true);
  },
};
