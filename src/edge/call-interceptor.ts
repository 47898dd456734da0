import { ConnectError, createContextKey, type Interceptor } from "@connectrpc/connect";
import type { EdgeCall } from "./edge-call.ts";
import { toConnectError } from "./error-details.ts";

/** Where a procedure's implementation finds its call. */
export const edgeCallKey = createContextKey<EdgeCall | undefined>(undefined, { description: "edge call" });

/** Carries the duties of a call to every procedure behind Connect's handlers: its end, and the form of its errors. */
export const callInterceptor: Interceptor = (next) => async (request) => {
  const edgeCall = request.contextValues.get(edgeCallKey);
  if (edgeCall === undefined) return next(request);
  try {
    const response = await edgeCall.guard(next(request));
    if (!response.stream) return response;
    return { ...response, message: guarded(response.message, edgeCall) };
  } catch (error) {
    throw publicError(error, edgeCall);
  }
};

async function* guarded<T>(messages: AsyncIterable<T>, edgeCall: EdgeCall): AsyncGenerator<T> {
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await edgeCall.guard(iterator.next());
      if (result.done) return;
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
  if (thrown instanceof ConnectError) return thrown;
  const error = toConnectError(edgeCall.asAssayError(thrown), edgeCall.call.protocol);
  if (!edgeCall.sendsDetails) error.details = [];
  return error;
}
