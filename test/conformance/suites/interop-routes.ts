import { setTimeout as delay } from "node:timers/promises";
import { type Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import type {
  EchoStatus,
  Payload,
  ResponseParameters,
  StreamingOutputCallRequest,
} from "../gen/grpc/testing/messages_pb.ts";
import { TestService } from "../gen/grpc/testing/test_pb.ts";

const ECHO_INITIAL = "x-grpc-test-echo-initial";
const ECHO_TRAILING = "x-grpc-test-echo-trailing-bin";

/** Serves grpc.testing.TestService as gRPC's interoperability test descriptions define it. */
export function interopRoutes(router: ConnectRouter): void {
  router.service(TestService, {
    emptyCall: () => ({}),
    unaryCall(request, context) {
      echoMetadata(context);
      throwStatus(request.responseStatus);
      return { payload: zeroes(request.responseSize) };
    },
    async streamingInputCall(requests, context) {
      echoMetadata(context);
      let aggregatedPayloadSize = 0;
      for await (const { payload } of requests) aggregatedPayloadSize += payload?.body.length ?? 0;
      return { aggregatedPayloadSize };
    },
    async *streamingOutputCall(request, context) {
      echoMetadata(context);
      yield* outputs(request.responseParameters, context);
    },
    async *fullDuplexCall(requests, context) {
      echoMetadata(context);
      for await (const request of requests) {
        throwStatus(request.responseStatus);
        yield* outputs(request.responseParameters, context);
      }
    },
    async *halfDuplexCall(requests, context) {
      const kept: StreamingOutputCallRequest[] = [];
      for await (const request of requests) kept.push(request);
      for (const request of kept) yield* outputs(request.responseParameters, context);
    },
  });
}

async function* outputs(parameters: ResponseParameters[], context: HandlerContext) {
  for (const { size, intervalUs } of parameters) {
    if (intervalUs > 0) await delay(intervalUs / 1000, undefined, { signal: context.signal });
    yield { payload: zeroes(size) };
  }
}

function zeroes(size: number): Pick<Payload, "body"> {
  return { body: new Uint8Array(size) };
}

function throwStatus(status: EchoStatus | undefined): void {
  if (status !== undefined && status.code !== 0) throw new ConnectError(status.message, status.code as Code);
}

function echoMetadata(context: HandlerContext): void {
  const initial = context.requestHeader.get(ECHO_INITIAL);
  if (initial !== null) context.responseHeader.set(ECHO_INITIAL, initial);
  const trailing = context.requestHeader.get(ECHO_TRAILING);
  if (trailing !== null) context.responseTrailer.set(ECHO_TRAILING, trailing);
}
