import type { AssayError } from "../../errors.ts";
import type { ServerStream } from "../../http2/stream.ts";
import type { BodyCheck } from "../memory/message-limit.ts";

/** A request's body as its reader pulls it; ends with the request, throws once what `fail` was given. */
export interface RequestBody extends AsyncIterable<Uint8Array> {
  /** Ends the body with an error, for whoever reads it now or later. */
  fail(error: unknown): void;
  /** Called once when the last byte has come, or the body has failed. */
  onEnd: () => void;
}

/** What its reader pulls at once: the first `length` octets of `bytes`. */
interface BodyChunk {
  bytes: Uint8Array;
  length: number;
  wireBytes: number;
}

const SMALL_BYTES = 4096;
const MERGED_BYTES = 65_536;

/** Keeps a piece; a small one goes into the chunk before it, or frames of one octet would cost a hundred times their size and time. */
function keep(chunks: BodyChunk[], piece: Uint8Array, wireBytes: number): void {
  const last = chunks.at(-1);
  if (last === undefined || piece.length >= SMALL_BYTES || last.length + piece.length > MERGED_BYTES) {
    chunks.push({ bytes: piece, length: piece.length, wireBytes });
    return;
  }
  if (last.bytes.length < last.length + piece.length) {
    const grown = new Uint8Array(Math.max(2 * last.length, last.length + piece.length));
    grown.set(last.bytes.subarray(0, last.length));
    last.bytes = grown;
  }
  last.bytes.set(piece, last.length);
  last.length += piece.length;
  last.wireBytes += wireBytes;
}

/**
 * Reads a stream's body. The peer gets its window back only for what was pulled, so a slow reader slows the peer;
 * a body that `check` refuses is read up to what is refused. `decode` is applied to each chunk before the check.
 */
export function createRequestBody(
  stream: ServerStream,
  check: BodyCheck,
  asError: (error: AssayError) => unknown,
  decode: (bytes: Uint8Array, end: boolean) => Uint8Array = (bytes) => new Uint8Array(bytes),
): RequestBody {
  const chunks: BodyChunk[] = [];
  let ended = false;
  let failed: { error: unknown } | undefined;
  let closed = false;
  let waiting:
    | { resolve: (result: IteratorResult<Uint8Array>) => void; reject: (error: unknown) => void }
    | undefined;

  function end(): void {
    if (ended) return;
    ended = true;
    body.onEnd();
  }

  function settle(): void {
    if (waiting === undefined) return;
    const { resolve, reject } = waiting;
    const chunk = chunks.shift();
    if (chunk !== undefined) {
      waiting = undefined;
      stream.consume(chunk.wireBytes);
      resolve({ done: false, value: chunk.bytes.subarray(0, chunk.length) });
    } else if (failed !== undefined && !closed) {
      waiting = undefined;
      closed = true;
      reject(failed.error);
    } else if (ended || closed) {
      waiting = undefined;
      resolve({ done: true, value: undefined });
    }
  }

  const onData: ServerStream["onData"] = (view, last) => {
    if (ended || closed) return;
    let bytes: Uint8Array;
    try {
      bytes = decode(view, last);
    } catch (error) {
      body.fail(error);
      return;
    }
    const refused = check(bytes);
    if (refused !== undefined) {
      const { error, goodBytes } = refused;
      if (goodBytes > 0) keep(chunks, bytes.subarray(0, goodBytes), view.byteLength);
      body.fail(asError(error));
      return;
    }
    if (bytes.byteLength > 0) keep(chunks, bytes, view.byteLength);
    else if (view.byteLength > 0) stream.consume(view.byteLength);
    if (last) end();
    settle();
  };
  stream.onData = onData;

  const iterator: AsyncIterator<Uint8Array> = {
    next: () =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        settle();
      }),
    // A reader that stops early leaves the rest to the engine, which ends the request after the response.
    return() {
      closed = true;
      chunks.length = 0;
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  const body: RequestBody = {
    onEnd: () => {},
    fail(error) {
      failed ??= { error };
      end();
      settle();
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  // What is announced can be refused before it comes.
  const refusedAtOnce = check(new Uint8Array(0));
  if (refusedAtOnce !== undefined) body.fail(asError(refusedAtOnce.error));
  return body;
}
