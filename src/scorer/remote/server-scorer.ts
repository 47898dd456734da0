/**
 * Rows scored by a server, over bidi streams of gRPC.
 * Comes in: requests, in flight together. Goes out: their responses, as they come.
 * Promises: at most `requestsInFlight` requests and 4 MiB a stream are sent and unanswered, and nothing is sent faster than the
 * socket takes it; a request that a lost connection, a drain or a passing refusal left unanswered is sent again, until no
 * answer at all came for `retryTimeoutMs`; the same file of the same version scores all rows, or the scorer refuses by name.
 */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { Model } from "../../../gen/assay/v1/model_service_pb.ts";
import type { PredictRequest, PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError, messageOf } from "../../errors.ts";
import type { Answer } from "../../wire/answer-decoder.ts";
import { statusError } from "../../wire/grpc-status.ts";
import type { Scorer } from "../scorer.ts";
import { type PendingItem, PendingItems } from "./pending-items.ts";
import {
  fromServer,
  isRetried,
  isWaitedForAtOpening,
  MOST_REFUSALS_OF_AN_ITEM,
  mayBeItemsFault,
  Outage,
} from "./retry-policy.ts";
import { ScoringStream, type ScoringStreamHandlers } from "./scoring-stream.ts";
import { parseServerUrl } from "./server-url.ts";
import type { StreamTarget } from "./stream-connection.ts";

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
  /** The key or token to call with; undefined: none. */
  readonly key?: string | undefined;
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
  const scorer = new ServerScorer(options);
  await scorer.open();
  return scorer;
}

/** What a scorer's streams connect to; the version is that of the first model that is found. */
type Target = { -readonly [Key in keyof StreamTarget]: StreamTarget[Key] };

class ServerScorer implements Scorer, ScoringStreamHandlers {
  readonly requestsInFlight: number;
  private readonly target: Target;
  private readonly onRetry: (error: AssayError, delayMs: number) => void;
  private readonly outage: Outage;
  private readonly pending = new PendingItems(MOST_WAITING);
  private readonly streams: readonly ScoringStream[];
  private pinned: Model | undefined;
  private ended: AssayError | undefined;
  private openFailure: AssayError | undefined;
  /** Nothing is sent while it runs. */
  private pause: NodeJS.Timeout | undefined;
  private giveUp: NodeJS.Timeout | undefined;

  constructor(options: ServerScorerOptions) {
    const { streams = DEFAULT_STREAMS, requestsPerStream = DEFAULT_REQUESTS_PER_STREAM } = options;
    this.target = {
      url: parseServerUrl(options.url),
      modelName: options.modelName,
      modelVersion: options.modelVersion ?? "",
      key: options.key,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      keepaliveMs: options.keepaliveMs ?? 20_000,
      ...(options.certificateAuthorities === undefined
        ? {}
        : { certificateAuthorities: options.certificateAuthorities }),
    };
    this.onRetry = options.onRetry ?? nothing;
    this.outage = new Outage(this.origin, options.retryTimeoutMs ?? 60_000);
    this.requestsInFlight = requestsPerStream * streams;
    const window = { requests: requestsPerStream, bytes: BYTES_PER_STREAM };
    this.streams = Array.from(
      { length: streams },
      () => new ScoringStream(this.target, window, options.answerTimeoutMs ?? 300_000, this),
    );
  }

  get model(): Model {
    return this.pinned!;
  }

  /** Waits for a model that loads; rejects with why there is none. */
  async open(): Promise<void> {
    for (;;) {
      await this.streams[0]!.open();
      if (this.pinned !== undefined) break;
      const error = this.openFailure!;
      if (!isWaitedForAtOpening(error)) throw error;
      const next = this.outage.failed(error, performance.now());
      if ("giveUp" in next) throw next.giveUp;
      this.onRetry(error, next.delayMs);
      await new Promise((resolve) => setTimeout(resolve, next.delayMs));
    }
    this.outage.answered();
  }

  score(request: PredictRequest): Promise<PredictResponse> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    const { modelName, modelVersion } = this.target;
    const isPinned = request.modelName === modelName && request.modelVersion === modelVersion;
    const answer = this.pending.add(isPinned ? request : { ...request, modelName, modelVersion });
    this.onChange();
    return answer;
  }

  async close(): Promise<void> {
    this.end(new AssayError(Reason.CANCELLED, "the scorer was closed"));
    await Promise.all(this.streams.map((stream) => stream.close()));
  }

  private get origin(): string {
    return this.target.url.origin;
  }

  /** One file scores all rows: another one than the first is refused. */
  check(found: Model): void {
    if (this.pinned === undefined) {
      this.pinned = found;
      this.target.modelVersion = found.modelVersion;
    } else if (found.sha256 !== this.pinned.sha256) {
      throw new AssayError(
        Reason.MODEL_VERSION_NOT_FOUND,
        `the server now has another file for ${this.target.modelName} version ${this.pinned.modelVersion}: SHA-256 ${found.sha256}, the rows so ` +
          `far were scored with ${this.pinned.sha256}; score all rows anew, or give the new file a version of its own`,
      );
    }
  }

  private end(error: AssayError): void {
    if (this.ended !== undefined) return;
    this.ended = error;
    clearTimeout(this.pause);
    clearTimeout(this.giveUp);
    this.pause = this.giveUp = undefined;
    this.pending.rejectAll(error);
    for (const stream of this.streams) void stream.close();
  }

  /** How long to wait before the next try; ends the scorer where that would not help. */
  private failed(error: AssayError): number {
    const nowMs = performance.now();
    const next = this.outage.failed(error, nowMs);
    if ("giveUp" in next) {
      this.end(next.giveUp);
      return 0;
    }
    this.onRetry(error, next.delayMs);
    const { outage } = this;
    this.giveUp ??= setTimeout(() => this.end(outage.givenUp(performance.now())), outage.endsAtMs! - nowMs);
    return next.delayMs;
  }

  private resume(): void {
    this.pause = undefined;
    this.onChange();
  }

  onAnswer(item: PendingItem, { response, status }: Answer): void {
    const error = status === undefined ? undefined : fromServer(this.origin, statusError(status));
    if (error !== undefined && isRetried(error)) {
      if (mayBeItemsFault(error)) item.refusals++;
      if (item.refusals < MOST_REFUSALS_OF_AN_ITEM) {
        this.pending.putBack([item]);
        const delayMs = this.failed(error);
        clearTimeout(this.pause);
        if (this.ended === undefined) this.pause = setTimeout(() => this.resume(), delayMs);
        return;
      }
    }
    this.outage.answered();
    clearTimeout(this.giveUp);
    this.giveUp = undefined;
    this.pending.settle(item, response ?? error ?? emptyAnswer());
  }

  onLost(unanswered: PendingItem[], error: AssayError | undefined): number {
    const { pending } = this;
    if (this.ended !== undefined) return 0;
    if (error?.reason === Reason.MESSAGE_TOO_LARGE && unanswered.length > 0) {
      // One of them is above the server's limit, so the largest is; which others are shows when they are sent again.
      const largest = unanswered.reduce((most, item) => (item.sentBytes > most.sentBytes ? item : most));
      pending.settle(largest, error);
      pending.putBack(unanswered.filter((item) => item !== largest));
      return 0;
    }
    pending.putBack(unanswered);
    const told = error === undefined ? undefined : fromServer(this.origin, error);
    if (this.pinned === undefined) this.openFailure = told;
    // A stream that ends while nothing is asked of it is opened again when something is.
    else if (told !== undefined && pending.count > 0) return this.failed(told);
    return 0;
  }

  /** Sends what waits to the stream with the least to do, and opens streams while something waits. */
  onChange(): void {
    const { pending, streams } = this;
    if (this.ended !== undefined || this.pause !== undefined) return;
    while (pending.waitingCount > 0) {
      const stream = leastLoaded(streams);
      if (stream === undefined) break;
      this.send(pending.takeNext(), stream);
    }
    if (pending.waitingCount === 0) return;
    for (const stream of streams) if (stream.isIdle) void stream.open();
  }

  private send(item: PendingItem, stream: ScoringStream): void {
    try {
      stream.send(item);
    } catch (error) {
      // A message that protobuf cannot hold: the caller's mistake, and of this request alone.
      const message = `the request cannot be encoded: ${messageOf(error)}`;
      this.pending.settle(item, new AssayError(Reason.INVALID_REQUEST, message, { cause: error }));
    }
  }
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

function nothing(): void {}
