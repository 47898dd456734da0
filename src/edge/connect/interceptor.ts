import {
  Code,
  ConnectError,
  createContextKey,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import type { Call } from "../../service/call.ts";
import type { EdgeCall } from "../call/edge-call.ts";
import { toConnectError } from "../call/error-details.ts";
import type { DecodedMessages } from "./decoded-messages.ts";

/** Where a procedure's implementation finds its call. */
export const edgeCallKey = createContextKey<EdgeCall | undefined>(undefined, { description: "edge call" });

/** Where the messages are that were decoded before the handler read empty ones. */
export const decodedMessagesKey = createContextKey<DecodedMessages | undefined>(undefined, {
  description: "decoded messages",
});

/** The call of a procedure. */
export function callOf(context: Pick<HandlerContext, "values">): Call {
  return edgeCallOf(context).call;
}

/** The same, with the duties of the edge. */
export function edgeCallOf(context: Pick<HandlerContext, "values">): EdgeCall {
  const edgeCall = context.values.get(edgeCallKey);
  if (edgeCall === undefined) throw new Error("a procedure was called outside the edge");
  return edgeCall;
}

/** Carries the duties of a call to every procedure behind Connect's handlers: its end, and the form of its errors. */
export const callInterceptor: Interceptor = (next) => async (request) => {
  const edgeCall = request.contextValues.get(edgeCallKey);
  if (edgeCall === undefined) return next(request);
  const { signal } = request;
  // Connect has a timer of its own for the caller's timeout, by another clock: where it rings first, the call has failed all the same.
  const onAbort = () => {
    if (isDeadline(signal.reason)) edgeCall.expire();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const response = await edgeCall.guard(next(withDecoded(request)));
    if (!response.stream) return response;
    const isBidi = response.method.methodKind === "bidi_streaming";
    const decoded = isBidi ? request.contextValues.get(decodedMessagesKey) : undefined;
    return { ...response, message: guarded(response.message, edgeCall, decoded) };
  } catch (error) {
    throw publicError(error, edgeCall);
  }
};

type Request = Parameters<ReturnType<Interceptor>>[0];

function isDeadline(reason: unknown): boolean {
  return reason instanceof ConnectError && reason.code === Code.DeadlineExceeded;
}

/** The request with its messages in place of the empty ones. */
function withDecoded(request: Request): Request {
  const decoded = request.contextValues.get(decodedMessagesKey);
  if (decoded === undefined) return request;
  if (!request.stream) return { ...request, message: decoded.take() };
  return { ...request, message: decoded.inPlaceOf(request.message) };
}

async function* guarded<T>(
  messages: AsyncIterable<T>,
  edgeCall: EdgeCall,
  decoded: DecodedMessages | undefined,
): AsyncGenerator<T> {
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await edgeCall.guard(iterator.next());
      if (result.done) return;
      decoded?.answered();
      yield result.value;
    }
  } catch (error) {
    throw publicError(error, edgeCall);
  } finally {
    // Not awaited: a generator that waits for something else ends only after it.
    iterator.return?.().catch(() => {});
  }
}

/** What Connect's handlers may send of whatever was thrown. Their own errors, for malformed requests, stay as they are. */
export function publicError(thrown: unknown, edgeCall: EdgeCall): ConnectError {
  if (thrown instanceof ConnectError) {
    edgeCall.code ??= thrown.code;
    return thrown;
  }
  const error = toConnectError(edgeCall.asAssayError(thrown), edgeCall.call.protocol);
  if (!edgeCall.sendsDetails) error.details = [];
  return error;
}
