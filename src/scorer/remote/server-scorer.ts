/**
 * Rows scored by a server, over bidi streams of gRPC.
 * Comes in: requests, in flight together. Goes out: their responses, as they come.
 * Promises: at most `requestsInFlight` requests and 4 MiB a stream are sent and unanswered, and nothing is sent faster than the
 * socket takes it; a request that a lost connection, a drain or a passing refusal left unanswered is sent again, until no
 * answer at all came for `retryTimeoutMs`; the same file of the same version scores all rows, or the scorer refuses by name.
 */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { Model } from "../../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Answer } from "../../wire/answer-decoder.ts";
import { statusError } from "../../wire/grpc-status.ts";
import type { Scorer } from "../scorer.ts";
import { createPendingItems, type PendingItem } from "./pending-items.ts";
import {
  createOutage,
  fromServer,
  isRetried,
  isWaitedForAtOpening,
  MOST_REFUSALS_OF_AN_ITEM,
  mayBeItemsFault,
} from "./retry-policy.ts";
import { createScoringStream, type ScoringStream } from "./scoring-stream.ts";
import { parseServerUrl } from "./server-url.ts";

/** Which server and model, and how patiently. */
export interface ServerScorerOptions {
  /** As `parseServerUrl` takes it: `http://localhost:8080`. */
  readonly url: string;
  readonly modelName: string;
  /** Default: the highest version that is ready; that one then scores all rows. */
  readonly modelVersion?: string;
  /** Connections, each with one stream. Default 1. */
  readonly streams?: number;
  /** Requests that one stream may have sent and unanswered. Default 8. */
  readonly requestsPerStream?: number;
  /** How long to go on without any answer before all requests are rejected. Default 60,000. */
  readonly retryTimeoutMs?: number;
  /** How long a stream may leave all its requests unanswered before they are sent again on a new one. Default 300,000. */
  readonly answerTimeoutMs?: number;
  /** How long connecting may take. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Silence after which a PING asks whether the server is there, and the time for its answer. Default 20,000. */
  readonly keepaliveMs?: number;
  /** For https: certificates in PEM to trust instead of the machine's own. */
  readonly certificateAuthorities?: string;
  /** Called when something failed that is tried again, with the delay before that. */
  readonly onRetry?: (error: AssayError, delayMs: number) => void;
}

const DEFAULT_STREAMS = 1;
const DEFAULT_REQUESTS_PER_STREAM = 8;
const BYTES_PER_STREAM = 4_194_304;
const MOST_WAITING = 1_024;

/**
 * Opens a scorer on a server; the caller closes it. A request must not change until it is answered: its tensors are sent as
 * they lie, and perhaps sent again. Model name and version of each request are those of the scorer.
 * Rejects with CONFIG_INVALID for the URL, SERVER_UNREACHABLE, MODEL_NOT_FOUND and the like; waits for a model that loads.
 */
export async function openServerScorer(options: ServerScorerOptions): Promise<Scorer> {
  const url = parseServerUrl(options.url);
  const { modelName, retryTimeoutMs = 60_000, answerTimeoutMs = 300_000 } = options;
  const { streams: streamCount = DEFAULT_STREAMS, requestsPerStream = DEFAULT_REQUESTS_PER_STREAM } = options;
  const outage = createOutage(url.origin, retryTimeoutMs);
  const pending = createPendingItems(MOST_WAITING);
  const target = {
    url,
    modelName,
    modelVersion: options.modelVersion ?? "",
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    keepaliveMs: options.keepaliveMs ?? 20_000,
    ...(options.certificateAuthorities === undefined
      ? {}
      : { certificateAuthorities: options.certificateAuthorities }),
  };
  let model: Model | undefined;
  let ended: AssayError | undefined;
  let pause: NodeJS.Timeout | undefined;
  let giveUp: NodeJS.Timeout | undefined;
  let openFailure: AssayError | undefined;

  function check(found: Model): void {
    if (model === undefined) {
      model = found;
      target.modelVersion = found.modelVersion;
    } else if (found.sha256 !== model.sha256) {
      throw new AssayError(
        Reason.MODEL_VERSION_NOT_FOUND,
        `the server now has another file for ${modelName} version ${model.modelVersion}: SHA-256 ${found.sha256}, the rows so ` +
          `far were scored with ${model.sha256}; score all rows anew, or give the new file a version of its own`,
      );
    }
  }

  function end(error: AssayError): void {
    if (ended !== undefined) return;
    ended = error;
    clearTimers();
    pending.rejectAll(error);
    for (const stream of streams) void stream.close();
  }

  function clearTimers(): void {
    clearTimeout(pause);
    clearTimeout(giveUp);
    pause = undefined;
    giveUp = undefined;
  }

  /** How long to wait before the next try; ends the scorer where that would not help. */
  function failed(error: AssayError): number {
    const nowMs = performance.now();
    const next = outage.failed(error, nowMs);
    if ("giveUp" in next) {
      end(next.giveUp);
      return 0;
    }
    options.onRetry?.(error, next.delayMs);
    giveUp ??= setTimeout(() => end(outage.givenUp(performance.now())), outage.endsAtMs! - nowMs);
    return next.delayMs;
  }

  function resume(): void {
    pause = undefined;
    pump();
  }

  function answered(item: PendingItem, { response, status }: Answer): void {
    const error = status === undefined ? undefined : fromServer(url.origin, statusError(status));
    if (error !== undefined && isRetried(error)) {
      if (mayBeItemsFault(error)) item.refusals++;
      if (item.refusals < MOST_REFUSALS_OF_AN_ITEM) {
        pending.putBack([item]);
        const delayMs = failed(error);
        clearTimeout(pause);
        if (ended === undefined) pause = setTimeout(resume, delayMs);
        return;
      }
    }
    outage.answered();
    clearTimeout(giveUp);
    giveUp = undefined;
    pending.settle(item, response ?? error ?? emptyAnswer());
  }

  function lost(unanswered: PendingItem[], error: AssayError | undefined): number {
    if (ended !== undefined) return 0;
    if (error?.reason === Reason.MESSAGE_TOO_LARGE && unanswered.length > 0) {
      // One of them is above the server's limit, so the largest is; which others are shows when they are sent again.
      const largest = unanswered.reduce((most, item) => (item.sentBytes > most.sentBytes ? item : most));
      pending.settle(largest, error);
      pending.putBack(unanswered.filter((item) => item !== largest));
      return 0;
    }
    pending.putBack(unanswered);
    if (model === undefined) openFailure = error === undefined ? undefined : fromServer(url.origin, error);
    // A stream that ends while nothing is asked of it is opened again when something is.
    else if (error !== undefined && pending.count > 0) return failed(fromServer(url.origin, error));
    return 0;
  }

  /** Sends what waits to the stream with the least to do, and opens streams while something waits. */
  function pump(): void {
    if (ended !== undefined || pause !== undefined) return;
    while (pending.waitingCount > 0) {
      const stream = leastLoaded(streams);
      if (stream === undefined) break;
      const item = pending.takeNext();
      try {
        stream.send(item);
      } catch (error) {
        // A message that protobuf cannot hold: the caller's mistake, and of this request alone.
        const message = `the request cannot be encoded: ${error instanceof Error ? error.message : error}`;
        pending.settle(item, new AssayError(Reason.INVALID_REQUEST, message, { cause: error }));
      }
    }
    if (pending.waitingCount === 0) return;
    for (const stream of streams) if (stream.state === "idle") void stream.open();
  }

  const window = { requests: requestsPerStream, bytes: BYTES_PER_STREAM };
  const handlers = { check, onAnswer: answered, onChange: pump, onLost: lost };
  const streams = Array.from({ length: streamCount }, () =>
    createScoringStream(target, window, answerTimeoutMs, handlers),
  );
  for (;;) {
    await streams[0]!.open();
    if (model !== undefined) break;
    const error = openFailure!;
    if (!isWaitedForAtOpening(error)) throw error;
    const next = outage.failed(error, performance.now());
    if ("giveUp" in next) throw next.giveUp;
    options.onRetry?.(error, next.delayMs);
    await new Promise((resolve) => setTimeout(resolve, next.delayMs));
  }
  outage.answered();
  const pinned: Model = model;
  return {
    model: pinned,
    requestsInFlight: requestsPerStream * streamCount,
    score(request) {
      if (ended !== undefined) return Promise.reject(ended);
      const { modelVersion } = pinned;
      const isPinned = request.modelName === modelName && request.modelVersion === modelVersion;
      const answer = pending.add(isPinned ? request : { ...request, modelName, modelVersion });
      pump();
      return answer;
    },
    async close() {
      end(new AssayError(Reason.CANCELLED, "the scorer was closed"));
      await Promise.all(streams.map((stream) => stream.close()));
    },
  };
}

function emptyAnswer(): AssayError {
  return new AssayError(Reason.INTERNAL, "the server answered an item with neither scores nor a status");
}

function leastLoaded(streams: readonly ScoringStream[]): ScoringStream | undefined {
  let best: ScoringStream | undefined;
  for (const stream of streams) {
    if (stream.hasRoom && (best === undefined || stream.sentBytes < best.sentBytes)) best = stream;
  }
  return best;
}
