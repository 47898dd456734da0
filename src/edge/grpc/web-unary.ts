/** Unary calls over gRPC-Web, whose trailers are a frame of the body. */
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { COMPRESSED_FLAG, framed, PREFIX_BYTES, writePrefix } from "../../wire/grpc-frame.ts";
import { publicError } from "../connect/interceptor.ts";
import { answerHead, HeadBases } from "../unary/answer-head.ts";
import { type AnsweredCall, COMPRESS_MIN_BYTES, type UnaryProtocol } from "../unary/unary-form.ts";
import { GRPC_FIELDS } from "./unary.ts";

const HEADS = new HeadBases("application/grpc-web+proto", GRPC_FIELDS.encoding);
const DONE = Buffer.from("grpc-status: 0\r\n");

/** gRPC-Web with binary messages, not in base64. */
export const grpcWebUnary: UnaryProtocol = {
  name: "grpc-web",
  isFramed: true,
  prefixBytes: PREFIX_BYTES,
  fields: GRPC_FIELDS,
  accepts: () => true,
  respond(call, bytes, isCompressed) {
    const { stream } = call;
    writePrefix(bytes, isCompressed ? COMPRESSED_FLAG : 0, bytes.length - PREFIX_BYTES);
    stream.respond(200, answerHead(call, HEADS.of(call.compression?.name ?? "")));
    stream.write(bytes);
    stream.write(framed(trailerFlag, DONE), true);
  },
  fail(call, error) {
    const trailer = trailerSerialize(setTrailerStatus(new Headers(), publicError(error, call.edgeCall)));
    if (call.compression === undefined || trailer.length < COMPRESS_MIN_BYTES) {
      sendTrailer(call, framed(trailerFlag, trailer));
      return undefined;
    }
    return call.compression
      .compress(trailer)
      .then((compressed) => sendTrailer(call, framed(trailerFlag | COMPRESSED_FLAG, compressed)));
  },
};

function sendTrailer(call: AnsweredCall, frame: Uint8Array): void {
  call.stream.respond(200, answerHead(call, HEADS.of(call.compression?.name ?? "")));
  call.stream.write(frame, true);
}
