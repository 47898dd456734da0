import { framed, PREFIX_BYTES } from "../../wire/grpc-frame.ts";
import { type Failure, unreadable } from "../failure.ts";
import {
  type CallAnswer,
  type CallForm,
  foreignAnswer,
  type MessageCheck,
  PREDICT_PATH,
  USER_AGENT,
} from "./call-form.ts";
import { grpcFailure } from "./grpc.ts";

/** Set in the flags of the frame that stands for trailers. */
const TRAILER_FLAG = 0x80;

/** Unary calls of gRPC-Web with binary messages. */
export function grpcWebForm(message: Uint8Array, check: MessageCheck): CallForm {
  return {
    path: PREDICT_PATH,
    fields: [["content-type", "application/grpc-web+proto"], ["x-grpc-web", "1"], USER_AGENT],
    body: framed(0, message),
    failure(answer) {
      const isGrpcWeb = answer.field("content-type")?.startsWith("application/grpc-web") === true;
      if (answer.status !== 200 || !isGrpcWeb) return foreignAnswer(answer, "gRPC-Web");
      if (answer.field("grpc-status") !== undefined) return grpcFailure((name) => answer.field(name));
      return bodyFailure(answer, check);
    },
  };
}

/** The body is a message, unless the call failed, and then the trailers. */
function bodyFailure({ body }: CallAnswer, check: MessageCheck): Failure | undefined {
  let failure: Failure | undefined;
  let hasMessage = false;
  for (let at = 0; at + PREFIX_BYTES <= body.length; ) {
    const flags = body[at]!;
    const start = at + PREFIX_BYTES;
    const end = start + body.readUInt32BE(at + 1);
    if (end > body.length) return unreadable("a frame of it is cut off");
    if (flags === TRAILER_FLAG)
      return trailerFailure(body.toString("latin1", start, end), hasMessage) ?? failure;
    if (flags !== 0) return unreadable(`a frame with the flags ${flags} came`);
    hasMessage = true;
    failure = check(body.subarray(start, end));
    at = end;
  }
  return unreadable("it ends without trailers");
}

function trailerFailure(text: string, hasMessage: boolean): Failure | undefined {
  if (/^grpc-status: ?0\r?$/im.test(text))
    return hasMessage ? undefined : unreadable("OK came without a message");
  const fields = new Map(
    text.split("\r\n").map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
    }),
  );
  return grpcFailure((name) => fields.get(name));
}
